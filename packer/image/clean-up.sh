#!/bin/sh
# Removes what belongs only to the build instance: keys, identities, state, histories, logs, caches. The last step of the
# build; fails if anything is left.
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
  echo "clean-up.sh: only root can run this: use sudo" >&2
  exit 1
}

# Access is through SSM Session Manager, so instances have no port 22; this build's own connection stays open.
disable_ssh() {
  systemctl --root="${root:-/}" disable --quiet sshd.service
}

# Running services would write removed files again. The SSM agent stays: Packer may be connected through it.
stop_writers() {
  systemctl stop amazon-cloudwatch-agent.service chronyd.service integratord.service
  dnf clean all --quiet
  journalctl --quiet --relinquish-var
}

# Every instance of the image creates its own.
remove_identities() {
  rm -f "$root"/etc/ssh/ssh_host_*
  for home in "$root"/root "$root"/home/*; do
    rm -rf "$home/.ssh" "$home/.aws" "$home/.cache"
    rm -f "$home"/.*_history "$home/.lesshst" "$home/.viminfo" "$home/.wget-hsts"
  done
  # Emptied, not removed: the next boot creates one, but does not count as a first boot, which would reset enabled units.
  : >"$root/etc/machine-id"
  rm -f "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed" "$root/var/lib/systemd/credential.secret"
  # Makes cloud-init, and SSM, which stores a fingerprint, treat the next boot as that of a new instance.
  rm -rf "$root"/var/lib/cloud/* "$root"/var/lib/amazon/ssm/Vault
}

remove_leftovers() {
  rm -rf "$root"/var/lib/integratord/* "$root"/var/lib/integratord-log/* "$root"/etc/integratord/credentials/*
  rm -f "$root/etc/integratord/cloudwatch-agent.json"
  rm -rf "$root"/opt/aws/amazon-cloudwatch-agent/logs/* "$root"/opt/aws/amazon-cloudwatch-agent/etc/*.d/*
  rm -rf "$root"/var/cache/dnf/* "$root"/var/lib/chrony/* "$root"/var/lib/systemd/timers/*
  # Only the files: services expect the directories.
  if [ -d "$root/var/log/journal" ]; then find "$root/var/log/journal" -mindepth 1 -delete; fi
  find "$root/var/log" -type f -delete
  rm -rf "$root"/tmp/integratord* "$root"/var/tmp/*
}

# Independent of the steps above: no credentials or identities may be left.
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
    echo "clean-up.sh: must not be in the image:" >&2
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
echo "clean-up.sh: nothing of the build instance is left"
