#!/bin/sh
# Installs integratord from a release directory: application, commands, unit, user, settings. Needs no network and no
# package manager, only systemd and coreutils; may run again and again, and leaves settings and secrets as they are.
set -eu

usage() {
  cat <<'USAGE'
usage: install.sh [--from DIR] [--root DIR]

  --from DIR  the release: bin/node, daemon/, systemd/, and node_modules/ with package.json unless it is bundled
              (default: the directory that this script is in)
  --root DIR  the root file system to install into (default: /, the running system)
USAGE
}

fail() {
  echo "install.sh: $1" >&2
  exit "${2:-1}"
}

from=$(cd "$(dirname "$0")" && pwd)
root=
while [ $# -gt 0 ]; do
  case $1 in
    --from | --root)
      if [ ! -d "${2:-}" ]; then fail "$1 needs a directory, which '${2:-}' is not" 2; fi
      if [ "$1" = --from ]; then from=$(cd "$2" && pwd); else root=$(cd "$2" && pwd); fi
      shift 2
      ;;
    --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done
[ "$root" != / ] || root=

[ "$(id -u)" -eq 0 ] || fail "only root can install it: run it with sudo"
for part in bin/node daemon systemd; do
  [ -e "$from/$part" ] || fail "$from is no release: there is no $part in it; name one with --from"
done
command -v systemd-sysusers >/dev/null || fail "there is no systemd-sysusers here: systemd 252 or later is needed"

# The script of a program: one file of a bundle, or a source that Node runs as it is.
script_of() {
  for script in "daemon/$1.js" "daemon/$1.ts"; do
    if [ -f "$from/$script" ]; then
      echo "$script"
      return
    fi
  done
  fail "$from is no release: there is no daemon/$1.js or daemon/$1.ts in it"
}

# A command that runs its script under the Node that came with it; exec, so that systemd watches Node itself.
write_command() {
  printf '#!/bin/sh\nexec /opt/integratord/bin/node /opt/integratord/%s "$@"\n' "$2" >"$new/bin/$1"
  chmod 0755 "$new/bin/$1"
  ln -sf "/opt/integratord/bin/$1" "$root/usr/local/bin/$1"
}

# Whole beside the old one, and then in its place: whoever looks finds the one or the other.
install_application() {
  daemon=$(script_of main)
  ctl=$(script_of ctl/main)
  new=$root/opt/integratord.new
  old=$root/opt/integratord.old
  rm -rf "$new" "$old"
  mkdir -p "$new/bin" "$root/usr/local/bin"
  install -m 0755 "$from/bin/node" "$new/bin/node"
  for part in daemon node_modules package.json; do
    if [ -e "$from/$part" ]; then cp -R "$from/$part" "$new/$part"; fi
  done
  # The daemon reads it as another user, and must not be able to change it.
  chown -R 0:0 "$new"
  chmod -R u=rwX,go=rX "$new"
  write_command integratord "$daemon"
  write_command integratorctl "$ctl"
  if [ -e "$root/opt/integratord" ]; then mv "$root/opt/integratord" "$old"; fi
  mv "$new" "$root/opt/integratord"
  rm -rf "$old"
}

# /usr/local/lib is for what no package brought; what an administrator puts into /etc goes before it.
install_configuration() {
  lib=$root/usr/local/lib
  mkdir -p "$lib/systemd/system" "$lib/sysusers.d" "$lib/tmpfiles.d" "$root/etc/integratord"
  install -m 0644 "$from/systemd/integratord.service" "$lib/systemd/system/integratord.service"
  install -m 0644 "$from/systemd/integratord.sysusers.conf" "$lib/sysusers.d/integratord.conf"
  install -m 0644 "$from/systemd/integratord.tmpfiles.conf" "$lib/tmpfiles.d/integratord.conf"
  if [ ! -e "$root/etc/integratord/integratord.env" ]; then
    install -m 0640 "$from/systemd/integratord.env" "$root/etc/integratord/integratord.env"
  fi
  systemd-sysusers --root="${root:-/}" "$lib/sysusers.d/integratord.conf"
  systemd-tmpfiles --root="${root:-/}" --create "$lib/tmpfiles.d/integratord.conf"
  systemctl --root="${root:-/}" enable --quiet integratord.service
}

install_application
install_configuration
# In a chroot, or into another root, there is no systemd to tell.
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

cat <<'DONE'
integratord is installed and starts with the system. Before it can:
  - set AWS_REGION in /etc/integratord/integratord.env
  - put Deepgram's API key into /etc/integratord/credentials/deepgram-api-key
then: systemctl restart integratord
DONE
