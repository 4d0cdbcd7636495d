#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: uvd is killed with SIGKILL under a running guest and goes on within 2 s: the guest computes through it, list, pause and stop work, and what happened meanwhile is recorded
# where: appliance
# appliance: --no-daemons
# timeout: 300
. "$(dirname "$0")/lib/uvd.bash"

guest 'n=0; while :; do n=$((n + 1)); echo "guest: tick $n"; sleep 0.1; done'
start_all
status_is 0 uvcommand domain default 1 512MiB
status_is 0 define web1 128MiB
status_is 0 start_guest web1 128MiB
within 60 console_has web1 "guest: tick 3"
within 10 state_is web1 3
process=$(pgrep -x uvmonitor)

last() { console web1 | sed -n 's/.*guest: tick \([0-9]*\).*/\1/p' | tail -n 1; }

worst=0
for _ in 1 2 3 4 5; do
	# shellcheck disable=SC2034 # in an eval
	before=$(last)
	kill_daemon uvd
	sleep 0.3
	begin=${EPOCHREALTIME/[.,]/}
	start_uvd
	within 10 state_is web1 3
	ms=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
	((ms <= worst)) || worst=$ms
	is "the process" "$(pgrep -x uvmonitor)" "$process"
	within 5 eval '[ "$(last)" -gt "$before" ]'
done
echo "goes on after at most $worst ms"
((worst < 2000)) || fail "$worst ms"

# Each state is found again.
status_is 0 uvcommand pause web1
kill_daemon uvd
start_uvd
within 10 state_is web1 4
lines=$(console web1 | wc -l) && sleep 1
is "lines of a paused guest" "$(console web1 | wc -l)" "$lines"
status_is 0 uvcommand resume web1
within 5 eval '[ "$(console web1 | wc -l)" -gt "$lines" ]'

# The guest powers off while nobody watches.
status_is 0 uvcommand stop web1
kill_daemon uvd
within 20 eval '! pgrep -x uvmonitor'
start_uvd
within 10 state_is web1 1
uvcommand rows partition web1 | grep >/dev/null 'reason="the guest powered off"' || fail "$(uvcommand rows partition web1)"
is "memory assigned" "$(sql 'SELECT count(*) FROM memory')" 0

# Killed at random instants of a start: in the end it runs, or is off with all released.
for delay in 0.00 0.01 0.02 0.03 0.05 0.08 0.12 0.2; do
	start_guest web1 128MiB >/dev/null 2>&1 &
	client=$!
	sleep "$delay"
	kill_daemon uvd
	start_uvd
	wait $client || true
	within 60 eval 'state_is web1 3 || state_is web1 1 || state_is web1 6'
	if state_is web1 3; then
		pgrep -x uvmonitor >/dev/null || fail "after $delay s: running without a process"
		status_is 0 uvcommand kill web1
	fi
	echo "killed $delay s after the request: $(uvcommand rows partition web1 | grep -o 'state=.*')"
	within 5 eval '! pgrep -x uvmonitor'
	is "memory assigned" "$(sql 'SELECT count(*) FROM memory')" 0
done
