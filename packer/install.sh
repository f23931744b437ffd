#!/bin/sh
# Installs integratord from a release directory: application, commands, unit, user, settings, man pages, completions.
# Needs no network and no package manager, only systemd and coreutils; may run again and again, and leaves settings and
# secrets as they are.
set -eu
# Whatever the one who runs it keeps from others by default: everybody on the machine may use what is installed.
umask 022

usage() {
  cat <<'USAGE'
usage: install.sh [--from DIR] [--root DIR]

  --from DIR  the release, unpacked (default: the directory that this script is in)
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
[ -f "$from/SHA256SUMS" ] || fail "$from is no release: there is no SHA256SUMS in it; name one with --from"
# Before anything is changed: a release that was cut short must not take the place of one that works.
(cd "$from" && sha256sum --check --quiet --strict SHA256SUMS >&2) ||
  fail "the release in $from is damaged: unpack it again, and compare the tarball with release/manifest.json"
version=$("$from/bin/node" "$from/daemon/main.js" --version) ||
  fail "the release in $from does not run here: is it the one for this machine ($(uname -m))?"
command -v systemd-sysusers >/dev/null || fail "there is no systemd-sysusers here: systemd 252 or later is needed"

# A command that runs its script under the Node that came with it; exec, so that systemd watches Node itself.
write_command() {
  printf '#!/bin/sh\nexec /opt/integratord/bin/node /opt/integratord/%s "$@"\n' "$2" >"$new/bin/$1"
  chmod 0755 "$new/bin/$1"
  ln -sf "/opt/integratord/bin/$1" "$root/usr/local/bin/$1"
}

# Whole beside the old one, and then in its place: whoever looks finds the one or the other.
install_application() {
  new=$root/opt/integratord.new
  old=$root/opt/integratord.old
  rm -rf "$new" "$old"
  mkdir -p "$new/bin" "$root/usr/local/bin"
  for part in bin/node daemon package.json MANIFEST.json LICENSE LICENSES.txt; do cp -R "$from/$part" "$new/$part"; done
  # The daemon reads it as another user, and must not be able to change it.
  chown -R 0:0 "$new"
  chmod -R u=rwX,go=rX "$new"
  write_command integratord daemon/main.js
  write_command integratorctl daemon/ctl/main.js
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

# Where man and bash look besides their own directories, whether they are installed or not.
install_documentation() {
  share=$root/usr/local/share
  install -D -m 0644 "$from/man/integratorctl.1" "$share/man/man1/integratorctl.1"
  install -D -m 0644 "$from/man/integratord.8" "$share/man/man8/integratord.8"
  install -D -m 0644 "$from/completions/bash/integratorctl" "$share/bash-completion/completions/integratorctl"
}

install_application
install_configuration
install_documentation
# In a chroot, or into another root, there is no systemd to tell.
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

cat <<DONE
integratord $version is installed and starts with the system. Before it can:
  - set AWS_REGION in /etc/integratord/integratord.env
  - put Deepgram's API key into /etc/integratord/credentials/deepgram-api-key
then: systemctl restart integratord
DONE
