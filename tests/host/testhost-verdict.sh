#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a warning or a crash of the test host's kernel fails the run, whatever the command's status, and its lines are shown
# where: host
# timeout: 400
. "$(dirname "$0")/lib.sh"
export APPLIANCE_OUT=$tmp/result

status_is 0 "$appliance" --no-daemons -- true

for line in 'WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2' 'BUG: unable to handle page fault' \
	'INFO: task x:1 blocked for more than 120 seconds.' 'x invoked oom-killer: order=0'; do
	echo "$line"
done >"$tmp/lines"
cd "$tmp"
status_is 125 "$appliance" --no-daemons -- bash -c 'while read -r l; do echo "<4>$l" >/dev/kmsg; done <lines'
while read -r line; do
	grep -qF "$line" "$tmp/err" || fail "not shown: $line"
done <"$tmp/lines"

# The real thing; what was written a moment before is not lost.
status_is 125 "$appliance" --no-daemons -- bash -c 'echo before; sleep 1; echo c >/proc/sysrq-trigger'
has "$tmp/out" '^before$'
has "$tmp/err" 'Kernel panic|sysrq triggered crash'
