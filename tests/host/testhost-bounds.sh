#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a run of the test host ends in time and leaves nothing behind, if it is killed as well, and two runs at once do not meet
# where: host
# timeout: 400
. "$(dirname "$0")/lib.sh"
export APPLIANCE_OUT=$tmp/result
# Runs have their folders here, so that those of others are not in the way.
mkdir "$tmp/runs"
export TMPDIR=$tmp/runs

status_is 124 "$appliance" --no-daemons --timeout 2 -- sleep 1000
has "$tmp/err" 'longer than 2 s'

# qemu: the processes of QEMU that work in our folder
qemu() {
	pgrep -f "qemu-system.*$tmp/runs/"
}
no_qemu() {
	! qemu >/dev/null
}

for signal in TERM KILL; do
	"$appliance" --no-daemons -- sleep 1000 </dev/null >/dev/null 2>&1 &
	pid=$!
	within 20 qemu
	kill -s "$signal" "$pid"
	wait "$pid" || true
	within 5 no_qemu
done
# A killed script could not remove its folder; the next run does.
status_is 0 "$appliance" --no-daemons -- true
is "what is left" "$(ls "$tmp/runs")" ""

other=$tmp/other
APPLIANCE_OUT=$other "$appliance" --no-daemons -- \
	bash -c 'echo one >/var/lib/ultravisor/f; echo one >/root/f; sleep 2; cat /var/lib/ultravisor/f /root/f' \
	>"$tmp/one" 2>/dev/null </dev/null &
pid=$!
status_is 0 "$appliance" --no-daemons -- \
	bash -c 'echo two >/var/lib/ultravisor/f; echo two >/root/f; sleep 2; cat /var/lib/ultravisor/f /root/f'
wait "$pid" || fail "the first of two runs failed"
is "what the first run has" "$(tr '\n' ' ' <"$tmp/one")" "one one "
is "what the second run has" "$(tr '\n' ' ' <"$tmp/out")" "two two "
