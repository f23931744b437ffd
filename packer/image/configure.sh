#!/bin/sh
# Makes the system what integratord's instances are: puts root/ into the file system, and says which units run. After
# install.sh; may run again.
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
  echo "configure.sh: only root can: run it with sudo" >&2
  exit 1
}

# A program is what lies where programs lie; all else is read only.
(cd "$here/root" && find . -type f) | while read -r file; do
  case $file in
    ./usr/local/sbin/* | ./usr/local/libexec/*) mode=0755 ;;
    *) mode=0644 ;;
  esac
  install -D -o 0 -g 0 -m "$mode" "$here/root/$file" "$root/$file"
done
systemd-sysusers --root="${root:-/}" "$root/usr/local/lib/sysusers.d/integratord-log.conf"

# Nothing changes under a running call: an image is replaced by the next one. dnf-automatic is not even installed today;
# masked, it stays off whoever installs it.
systemctl --root="${root:-/}" mask --quiet \
  dnf-automatic.timer dnf-automatic-install.timer dnf-automatic-download.timer dnf-automatic-notifyonly.timer \
  dnf-makecache.timer

# Where the system that is configured is the one that runs, it has to work now, or the build ends here.
if [ -z "$root" ]; then
  systemctl enable --quiet chronyd.service amazon-ssm-agent.service integratord.service
  # The agent of a build has no log group to write to: integratord-log-group switches it on.
  systemctl disable --quiet amazon-cloudwatch-agent.service
  sysctl --quiet --load=/etc/sysctl.d/60-integratord.conf
  systemctl daemon-reload
  systemctl restart systemd-journald.service chronyd.service
  # Up to 60 s for the first answers of the time service; the self-test's and the image's times are then right.
  chronyc waitsync 60 0.1 0 1 >/dev/null
  systemd-analyze verify --man=no --recursive-errors=no integratord.service integratord-log.service integratord-log.timer
fi
