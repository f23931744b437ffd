#!/bin/sh
# Tells Auto Scaling to replace this instance when it has been without the daemon for ABSENCE_SECONDS: after an exit with
# 0 or 78, a stop, or in a crash loop. systemd/integratord-absence.timer runs this every 30 s. A restart or an upgrade is
# shorter. A daemon that drains is there until its last call. packer/README.md has the details.
set -eu

# A daemon that has been active for this long is back.
steady=60
# One that is active, and was restarted this often since it was first missed, is in a crash loop.
loop=3
since=/run/integratord-absence/since

limit=${ABSENCE_SECONDS:-300}
case $limit in
  *[!0-9]*)
    echo "ABSENCE_SECONDS is not a number of seconds: it is 300" >&2
    limit=300
    ;;
esac

property() { systemctl show --property="$1" --value integratord.service; }

now=$(cut -d. -f1 /proc/uptime)
# Assigned first: a state that cannot be read ends the script, and reports nothing.
state=$(property ActiveState)
restarts=$(property NRestarts)
missed=$now
before=$restarts
[ ! -e "$since" ] || read -r missed before <"$since"
case $state in
  deactivating | reloading)
    rm -f "$since"
    exit 0
    ;;
  active)
    entered=$(property ActiveEnterTimestampMonotonic)
    if [ $((now - entered / 1000000)) -ge "$steady" ]; then
      rm -f "$since"
      exit 0
    fi
    [ $((restarts - before)) -ge "$loop" ] || exit 0
    ;;
esac
[ -e "$since" ] || echo "$missed $before" >"$since"
[ $((now - missed)) -ge "$limit" ] || exit 0

status=0
/opt/integratord/bin/node /opt/integratord/daemon/lifecycle/report-absence.js || status=$?
# 3: left alone, in Standby for example. Back in service, it gets the whole time again.
if [ "$status" -eq 3 ]; then
  rm -f "$since"
  exit 0
fi
exit "$status"
