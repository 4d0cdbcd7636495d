#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: opsd is killed with SIGKILL at random moments of activations and deactivations of a real guest; each ends as it was asked, with one running copy or none, and one start in the ledger
# where: appliance
# appliance:
# timeout: 300
source "$(dirname "$0")/lib/guest.bash"
# shellcheck disable=SC2034 # read by lib/guest.bash
work=/var/lib/ultravisor/images/ops-kill
rounds=3
mkdir -p "$work"

within 30 sh -c 'opsctl host list | grep -q " up "'
initrd 6.1-cloud 'echo "guest: ready"'
definition ops2 6.1-cloud 1 128MiB console
opsctl define "$work/ops2.json"

killer() {
	local n
	for ((n = 0; n < $1; n++)); do
		sleep "0.0$((RANDOM % 100))"
		kill -KILL "$(pgrep -o -x opsd)" 2>/dev/null || true # it may be dead still
		sleep "0.$((RANDOM % 4))"
	done
}
# A command that opsd did not hear at all (7) is repeated; one that it heard comes to its end.
ask() {
	local status
	while :; do
		status=0
		opsctl "$@" --timeout 60 >"$work/out" 2>&1 || status=$?
		((status == 7)) || return $status
		sleep 0.1
	done
}
copies() { pgrep -c -x uvmonitor || true; }
ledger() { cmdpartctl ledger --json | jq "[.ledger[] | select(.subject == \"ops2\" and .status == \"ok\" and (.summary | contains(\"$1 ops2\")))] | length"; }

before=$(ledger start)
for ((round = 1; round <= rounds; round++)); do
	killer 3 &
	killing=$!
	ask activate ops2 || fail "round $round: $(cat "$work/out")"
	wait $killing
	within 20 opsctl list
	[[ $(copies) == 1 ]] || fail "round $round: $(copies) monitors run"
	within 20 sh -c 'opsctl show ops2 --json | jq -e ".partition.desired == \"active\" and .partition.state == \"running\""'
	state_is ops2 running || fail "round $round: $(cmdpartctl show ops2)"
	within 60 console_has ops2 "guest: ready"

	killer 3 &
	killing=$!
	ask deactivate ops2 || fail "round $round: $(cat "$work/out")"
	wait $killing
	within 20 sh -c 'opsctl show ops2 --json | jq -e ".partition.desired == \"inactive\" and .partition.state == \"defined\""'
	[[ $(copies) == 0 ]] || fail "round $round: $(copies) monitors run after it was stopped"
	echo "round $round: activated and deactivated, opsd killed 6 times"
done
started=$(($(ledger start) - before))
((started == rounds)) || fail "$started starts in the ledger for $rounds activations"
[[ $(opsctl list --json | jq '.partitions | length') == 1 ]] || fail "$(opsctl list)"
