#!/bin/sh
# Configures the system for integratord: copies root/ into the file system, and enables and masks units. Runs after
# install.sh; can run repeatedly.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=
case ${1:-} in
  '') ;;
  --root) root=$(cd "$2" && pwd) ;;
  *)
    echo "usage: configure.sh [--root DIR]" >&2
    exit 2
    ;;
esac
[ "$(id -u)" -eq 0 ] || {
  echo "configure.sh: only root can run this: use sudo" >&2
  exit 1
}

# Programs are executable, all other files are data.
(cd "$here/root" && find . -type f) | while read -r file; do
  case $file in
    ./usr/local/sbin/* | ./usr/local/libexec/*) mode=0755 ;;
    *) mode=0644 ;;
  esac
  install -D -o 0 -g 0 -m "$mode" "$here/root/$file" "$root/$file"
done
systemd-sysusers --root="${root:-/}" "$root/usr/local/lib/sysusers.d/integratord-log.conf"

# No updates during calls: a new image replaces the old one. dnf-automatic is not installed; masked, it stays off even if
# it is installed later.
systemctl --root="${root:-/}" mask --quiet \
  dnf-automatic.timer dnf-automatic-install.timer dnf-automatic-download.timer dnf-automatic-notifyonly.timer \
  dnf-makecache.timer

# On the running system, the configuration must work now, or the build fails.
if [ -z "$root" ]; then
  systemctl enable --quiet chronyd.service amazon-ssm-agent.service integratord.service
  # The build has no log group to write to; integratord-log-group enables the agent on an instance.
  systemctl disable --quiet amazon-cloudwatch-agent.service
  sysctl --quiet --load=/etc/sysctl.d/60-integratord.conf
  systemctl daemon-reload
  systemctl restart systemd-journald.service chronyd.service
  # Waits up to 60 s for the clock, so that times of the self-test and in the image are right.
  chronyc waitsync 60 0.1 0 1 >/dev/null
  systemd-analyze verify --man=no --recursive-errors=no integratord.service integratord-log.service integratord-log.timer
fi
