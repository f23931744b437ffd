#!/bin/sh
# Installs integratord from a release directory: application, commands, unit, user, settings, man pages, completion.
# Needs systemd and coreutils, but no network and no package manager. Can run repeatedly; keeps settings and secrets.
set -eu
# Everyone on the machine may use what is installed, whatever the caller's umask.
umask 022

usage() {
  cat <<'USAGE'
usage: install.sh [--from DIR] [--root DIR]

  --from DIR  the unpacked release (default: the directory of this script)
  --root DIR  root file system to install into (default: /, the running system)
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
      if [ ! -d "${2:-}" ]; then fail "$1 needs a directory, but '${2:-}' is not one" 2; fi
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

[ "$(id -u)" -eq 0 ] || fail "only root can install: use sudo"
[ -f "$from/SHA256SUMS" ] || fail "$from is not a release, as it has no SHA256SUMS; use --from"
# Checked before any change: an incomplete release must not replace a working one.
(cd "$from" && sha256sum --check --quiet --strict SHA256SUMS >&2) ||
  fail "the release in $from is damaged: unpack it again, and compare the tarball with release/manifest.json"
version=$("$from/bin/node" "$from/daemon/main.js" --version) ||
  fail "the release in $from does not run here: is it for this machine ($(uname -m))?"
command -v systemd-sysusers >/dev/null || fail "systemd-sysusers is missing: systemd 252 or later is required"

# A command that runs its script with the bundled Node; exec, so that systemd supervises Node itself.
write_command() {
  printf '#!/bin/sh\nexec /opt/integratord/bin/node /opt/integratord/%s "$@"\n' "$2" >"$new/bin/$1"
  chmod 0755 "$new/bin/$1"
  ln -sf "/opt/integratord/bin/$1" "$root/usr/local/bin/$1"
}

# Copied beside the old version, then renamed: at any time, one of the two is complete.
install_application() {
  new=$root/opt/integratord.new
  old=$root/opt/integratord.old
  rm -rf "$new" "$old"
  mkdir -p "$new/bin" "$root/usr/local/bin"
  for part in bin/node daemon package.json MANIFEST.json LICENSE LICENSES.txt; do cp -R "$from/$part" "$new/$part"; done
  # The daemon runs as another user: it may read these files, but not change them.
  chown -R 0:0 "$new"
  chmod -R u=rwX,go=rX "$new"
  write_command integratord daemon/main.js
  write_command integratorctl daemon/ctl/main.js
  install -m 0755 "$from/systemd/integratord-absence.sh" "$new/bin/integratord-absence"
  if [ -e "$root/opt/integratord" ]; then mv "$root/opt/integratord" "$old"; fi
  mv "$new" "$root/opt/integratord"
  rm -rf "$old"
}

# /usr/local/lib is for software without a package; an administrator's files in /etc take precedence.
install_configuration() {
  lib=$root/usr/local/lib
  mkdir -p "$lib/systemd/system" "$lib/sysusers.d" "$lib/tmpfiles.d" "$root/etc/integratord"
  for unit in integratord.service integratord-absence.service integratord-absence.timer; do
    install -m 0644 "$from/systemd/$unit" "$lib/systemd/system/$unit"
  done
  install -m 0644 "$from/systemd/integratord.sysusers.conf" "$lib/sysusers.d/integratord.conf"
  install -m 0644 "$from/systemd/integratord.tmpfiles.conf" "$lib/tmpfiles.d/integratord.conf"
  if [ ! -e "$root/etc/integratord/integratord.env" ]; then
    install -m 0640 "$from/systemd/integratord.env" "$root/etc/integratord/integratord.env"
  fi
  systemd-sysusers --root="${root:-/}" "$lib/sysusers.d/integratord.conf"
  systemd-tmpfiles --root="${root:-/}" --create "$lib/tmpfiles.d/integratord.conf"
  systemctl --root="${root:-/}" enable --quiet integratord.service integratord-absence.timer
}

# In addition to their own directories, man and bash search these.
install_documentation() {
  share=$root/usr/local/share
  install -D -m 0644 "$from/man/integratorctl.1" "$share/man/man1/integratorctl.1"
  install -D -m 0644 "$from/man/integratord.8" "$share/man/man8/integratord.8"
  install -D -m 0644 "$from/completions/bash/integratorctl" "$share/bash-completion/completions/integratorctl"
}

install_application
install_configuration
install_documentation
# In a chroot, or with another root, there is no running systemd.
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

cat <<DONE
integratord $version is installed and starts at boot. First:
  - set AWS_REGION in /etc/integratord/integratord.env
  - put Deepgram's API key into /etc/integratord/credentials/deepgram-api-key
Then: systemctl restart integratord
DONE
