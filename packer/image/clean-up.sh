#!/bin/sh
# Takes from the image what belongs to the build instance alone: keys, identities, states, histories, logs, caches. The
# last step of the build; then looks whether anything is left, and fails if so.
set -eu

root=
case ${1:-} in
  '') ;;
  --root) root=$(cd "$2" && pwd) ;;
  *)
    echo "usage: clean-up.sh [--root DIR]" >&2
    exit 2
    ;;
esac
[ "$(id -u)" -eq 0 ] || {
  echo "clean-up.sh: only root can: run it with sudo" >&2
  exit 1
}

# Access is by SSM Session Manager, so no port 22 on an instance; this build's own connection goes on.
disable_ssh() {
  systemctl --root="${root:-/}" disable --quiet sshd.service
}

# What still runs would write again what is removed. Not the SSM agent: Packer may be connected through it.
stop_writers() {
  systemctl stop amazon-cloudwatch-agent.service chronyd.service integratord.service
  dnf clean all --quiet
  journalctl --quiet --relinquish-var
}

# Whoever starts an instance of the image gets new ones of all of it.
remove_identities() {
  rm -f "$root"/etc/ssh/ssh_host_*
  for home in "$root"/root "$root"/home/*; do
    rm -rf "$home/.ssh" "$home/.aws" "$home/.cache"
    rm -f "$home"/.*_history "$home/.lesshst" "$home/.viminfo" "$home/.wget-hsts"
  done
  # Empty, not gone: the next boot then makes one, and is not taken for a first one, which would reset what is enabled.
  : >"$root/etc/machine-id"
  rm -f "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed" "$root/var/lib/systemd/credential.secret"
  # cloud-init must take the next boot for that of a new instance; so must SSM, which knows one by its fingerprint.
  rm -rf "$root"/var/lib/cloud/* "$root"/var/lib/amazon/ssm/Vault
}

remove_leftovers() {
  rm -rf "$root"/var/lib/integratord/* "$root"/var/lib/integratord-log/* "$root"/etc/integratord/credentials/*
  rm -f "$root/etc/integratord/cloudwatch-agent.json"
  rm -rf "$root"/opt/aws/amazon-cloudwatch-agent/logs/* "$root"/opt/aws/amazon-cloudwatch-agent/etc/*.d/*
  rm -rf "$root"/var/cache/dnf/* "$root"/var/lib/chrony/* "$root"/var/lib/systemd/timers/*
  # Logs go, their directories stay: the services expect those.
  if [ -d "$root/var/log/journal" ]; then find "$root/var/log/journal" -mindepth 1 -delete; fi
  find "$root/var/log" -type f -delete
  rm -rf "$root"/tmp/integratord* "$root"/var/tmp/*
}

# What would let somebody in, or belongs to nobody else, must not be there; whatever the steps above believed.
verify() {
  left=$(
    find "$root/root" "$root/home" "$root/etc/ssh" "$root/etc/integratord/credentials" \
      \( -name authorized_keys -o -name 'ssh_host_*' -o -name 'id_*' -o -name credentials -type f \
      -o -name '*_history' -o -path '*/etc/integratord/credentials/*' \) -print
    grep -rlE 'AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY' "$root/etc/integratord" "$root/root" "$root/home" \
      || [ $? -eq 1 ]
    if [ -s "$root/etc/machine-id" ]; then echo "$root/etc/machine-id"; fi
  )
  if [ -n "$left" ]; then
    echo "clean-up.sh: these must not be in the image:" >&2
    echo "$left" >&2
    exit 1
  fi
}

disable_ssh
if [ -z "$root" ]; then stop_writers; fi
remove_identities
remove_leftovers
verify
sync
echo "clean-up.sh: nothing of the build is left"
