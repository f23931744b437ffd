#!/bin/sh
# Starts the installed integratord with dummy settings on a free loopback port, checks its health, and stops it. Exits
# with 0 only if it was healthy and stopped cleanly. Needs no service, as integratord contacts none before the first call.
set -eu

usage() {
  cat <<'USAGE'
usage: self-test.sh [--prefix DIR | --unit]

  --prefix DIR  installation directory (default: /opt/integratord)
  --unit        start it as integratord.service, with its user and sandbox
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

# Time limit for the start and for the stop, and polls per second.
LONGEST_S=90
POLLS_PER_S=5
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
AWS_ACCESS_KEY_ID=self-test-no-key
AWS_SECRET_ACCESS_KEY=self-test-no-key
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
    echo "self-test: output of integratord:" >&2
    cat "$log" >&2
  fi
  exit 1
}

start_directly() {
  [ -x "$prefix/bin/integratord" ] || fail "$prefix/bin/integratord does not exist"
  # Only these settings, without the build's own environment; none of them contains a space. timeout forwards SIGTERM,
  # kills a process that ignores it, and exits with integratord's own code.
  # shellcheck disable=SC2046
  env -i PATH=/usr/local/bin:/usr/bin:/bin $(settings) CONTROL_SOCKET="$work/control.sock" \
    timeout --kill-after="$LONGEST_S" $((2 * LONGEST_S)) "$prefix/bin/integratord" >"$log" 2>&1 &
  pid=$!
}

start_unit() {
  if systemctl is-active --quiet "$UNIT"; then fail "$UNIT is already running; do not run the self-test on a machine with calls"; fi
  mkdir -p "$(dirname "$DROP_IN")"
  {
    printf '[Service]\nEnvironmentFile=\n'
    settings | sed 's/^/Environment=/'
  } >"$DROP_IN"
  systemctl daemon-reload
  # Type=notify: returns when the daemon is ready, or has failed.
  timeout "$LONGEST_S" systemctl start "$UNIT" || fail "systemd could not start $UNIT"
}

read_log() {
  journalctl --quiet --no-pager --output=cat --unit="$UNIT" \
    _SYSTEMD_INVOCATION_ID="$(systemctl show --property=InvocationID --value "$UNIT")" >"$log" || true
}

runs() {
  if [ "$unit" = yes ]; then systemctl is-active --quiet "$UNIT"; else kill -0 "$pid" 2>/dev/null; fi
}

# Cleans up in every case.
tidy() {
  if [ -n "$pid" ]; then
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  if [ "$unit" = yes ]; then
    systemctl kill --signal=KILL "$UNIT" 2>/dev/null || true
    # Also ends a restart loop.
    timeout "$LONGEST_S" systemctl stop "$UNIT" || true
    rm -f "$DROP_IN"
    rmdir "$(dirname "$DROP_IN")" 2>/dev/null || true
    systemctl daemon-reload
  fi
  rm -rf "$work"
}
trap tidy EXIT

if [ "$unit" = yes ]; then start_unit; else start_directly; fi

# The daemon logs its URL when it is ready.
polls=0
url=
while [ -z "$url" ]; do
  if [ "$unit" = yes ]; then read_log; fi
  url=$(sed -n 's/.*"listening":"\(http:[^"]*\)".*/\1/p' "$log")
  [ -n "$url" ] && break
  runs || fail "integratord exited before it was listening"
  [ "$polls" -lt $((LONGEST_S * POLLS_PER_S)) ] || fail "integratord was not listening after $LONGEST_S s"
  sleep 0.2
  polls=$((polls + 1))
done

# Node is installed anyway; the URL is an argument, not part of the program.
REQUEST='fetch(process.argv[1], { signal: AbortSignal.timeout(10_000) }).then(({ status }) => console.log(status))'
status=$("$prefix/bin/node" -e "$REQUEST" "$url/health-check") || fail "$url/health-check did not respond"
[ "$status" = 200 ] || fail "$url/health-check responded with $status instead of 200"

# A stop is a drain, which without calls ends immediately, with exit code 0.
if [ "$unit" = yes ]; then
  timeout "$LONGEST_S" systemctl stop "$UNIT" || fail "systemd could not stop $UNIT within $LONGEST_S s"
  result=$(systemctl show --property=Result,ExecMainStatus --value "$UNIT" | tr '\n' ' ')
  [ "$result" = "success 0 " ] || fail "$UNIT did not stop cleanly: $result"
else
  kill -TERM "$pid"
  code=0
  wait "$pid" || code=$?
  pid=
  [ "$code" -eq 0 ] || fail "integratord exited with $code after SIGTERM instead of 0"
fi
echo "self-test: integratord was healthy at $url and stopped cleanly"
