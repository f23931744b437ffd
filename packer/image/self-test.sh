#!/bin/sh
# Starts the integratord that is installed with dummy settings on a free port of the loopback interface, asks for its
# health, and stops it. Ends with 0 only if it was healthy and then stopped cleanly. It talks to no service: integratord
# needs none before the first call.
set -eu

usage() {
  cat <<'USAGE'
usage: self-test.sh [--prefix DIR | --unit]

  --prefix DIR  where it is installed (default: /opt/integratord)
  --unit        start it by systemd, as integratord.service: with its user and all that the unit takes away
USAGE
}

prefix=/opt/integratord
unit=no
case ${1:-} in
  '') ;;
  --prefix) prefix=$2 ;;
  --unit) unit=yes ;;
  *)
    usage >&2
    exit 2
    ;;
esac

# How long it may take to start, and to stop; and how often a second it is looked at.
LONGEST_S=90
LOOKS_PER_S=5
UNIT=integratord.service
DROP_IN=/run/systemd/system/$UNIT.d/90-self-test.conf

work=$(mktemp -d)
log=$work/log
: >"$log"
pid=

settings() {
  cat <<'SETTINGS'
AWS_REGION=us-east-1
DEEPGRAM_API_KEY=self-test-no-key
HOST=127.0.0.1
PORT=0
HEALTH_LAG_MS=0
AWS_EC2_METADATA_DISABLED=true
LOG_LEVEL=info
SETTINGS
}

fail() {
  echo "self-test: $1" >&2
  if [ "$unit" = yes ]; then read_log; fi
  if [ -s "$log" ]; then
    echo "self-test: what integratord said:" >&2
    cat "$log" >&2
  fi
  exit 1
}

start_directly() {
  [ -x "$prefix/bin/integratord" ] || fail "there is no $prefix/bin/integratord"
  # Its own settings only, so that what the build has in its environment cannot help it; no word of them has a space.
  # timeout hands a SIGTERM on, kills what does not obey it in time, and ends with integratord's own code.
  # shellcheck disable=SC2046
  env -i PATH=/usr/local/bin:/usr/bin:/bin $(settings) CONTROL_SOCKET="$work/control.sock" \
    timeout --kill-after="$LONGEST_S" $((2 * LONGEST_S)) "$prefix/bin/integratord" >"$log" 2>&1 &
  pid=$!
}

start_unit() {
  if systemctl is-active --quiet "$UNIT"; then fail "$UNIT runs already; it is not for a machine with calls"; fi
  mkdir -p "$(dirname "$DROP_IN")"
  {
    printf '[Service]\nEnvironmentFile=\n'
    settings | sed 's/^/Environment=/'
  } >"$DROP_IN"
  systemctl daemon-reload
  # Type=notify: comes back when it is ready, or has failed.
  timeout "$LONGEST_S" systemctl start "$UNIT" || fail "systemd could not start $UNIT"
}

read_log() {
  journalctl --quiet --no-pager --output=cat --unit="$UNIT" \
    _SYSTEMD_INVOCATION_ID="$(systemctl show --property=InvocationID --value "$UNIT")" >"$log" || true
}

runs() {
  if [ "$unit" = yes ]; then systemctl is-active --quiet "$UNIT"; else kill -0 "$pid" 2>/dev/null; fi
}

# Whatever happens, nothing of it stays.
tidy() {
  if [ -n "$pid" ]; then
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  if [ "$unit" = yes ]; then
    systemctl kill --signal=KILL "$UNIT" 2>/dev/null || true
    # Also one that would be started again and again.
    timeout "$LONGEST_S" systemctl stop "$UNIT" || true
    rm -f "$DROP_IN"
    rmdir "$(dirname "$DROP_IN")" 2>/dev/null || true
    systemctl daemon-reload
  fi
  rm -rf "$work"
}
trap tidy EXIT

if [ "$unit" = yes ]; then start_unit; else start_directly; fi

# It says where it listens in the line with which it is ready.
looks=0
url=
while [ -z "$url" ]; do
  if [ "$unit" = yes ]; then read_log; fi
  url=$(sed -n 's/.*"listening":"\(http:[^"]*\)".*/\1/p' "$log")
  [ -n "$url" ] && break
  runs || fail "integratord ended before it listened"
  [ "$looks" -lt $((LONGEST_S * LOOKS_PER_S)) ] || fail "integratord does not listen after $LONGEST_S s"
  sleep 0.2
  looks=$((looks + 1))
done

# Node is what is installed anyway; the URL is an argument, not part of the program.
ASK='fetch(process.argv[1], { signal: AbortSignal.timeout(10_000) }).then(({ status }) => console.log(status))'
status=$("$prefix/bin/node" -e "$ASK" "$url/health-check") || fail "$url/health-check could not be asked"
[ "$status" = 200 ] || fail "$url/health-check answered $status; healthy is 200"

# A stop is a drain, which without calls is over at once and ends with 0.
if [ "$unit" = yes ]; then
  timeout "$LONGEST_S" systemctl stop "$UNIT" || fail "systemd could not stop $UNIT in $LONGEST_S s"
  result=$(systemctl show --property=Result,ExecMainStatus --value "$UNIT" | tr '\n' ' ')
  [ "$result" = "success 0 " ] || fail "$UNIT did not stop cleanly: $result"
else
  kill -TERM "$pid"
  code=0
  wait "$pid" || code=$?
  pid=
  [ "$code" -eq 0 ] || fail "integratord ended with $code after SIGTERM; a clean stop is 0"
fi
echo "self-test: integratord was healthy at $url and stopped cleanly"
