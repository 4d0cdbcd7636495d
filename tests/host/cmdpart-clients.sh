#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: sixteen clients at once, over guests that do not all fit, are each answered once, whichever daemon is killed meanwhile; the ledger's order alone explains what was committed, and what there is at the end
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
#
# SECONDS_ALL: for how long. SEED may be set.
# shellcheck disable=SC2154 # tmp is of lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/guest.bash"

seconds=${SECONDS_ALL:-8} seed=${SEED:-$((RANDOM + 1))}
echo "seed: $seed"
initrd 6.1-cloud 'echo "guest: ready"; while :; do sleep 1; done'
disk shared 4M
# Two read one disk and a third writes it; two want a processor for themselves.
for i in 0 1 2 3 4 5 6 7; do
	definition g$i 6.1-cloud 1 "$((128 + 128 * (i % 2)))MiB" disk console
	jq --argjson i $i '.devices[0].path |= if $i < 3 then "shared.raw" else . end
		| if $i < 2 then .devices[0].readonly = true else . end
		| .cpus += if $i > 5 then { mode: "dedicated" } else { budget_ms: 2, period_ms: 100 } end' \
		"$work/g$i.json" >"$work/new"
	# The service takes whole paths.
	jq --arg w "$work/" '.devices[0].path |= $w + . | .boot.kernel |= $w + . | .boot.initrd |= $w + .' "$work/new" >"$work/g$i.json"
	((i < 3)) || truncate -s 4M "$work/g$i.raw"
done

domain=$(cmdpartctl domain --json | jq -c '.domains[] | select(.name == "default")')
cpus=$(cmdpartctl host --json | jq -r '[.processors[] | select(.domain == "default").cpu]')
put_back() {
	local i
	for i in 0 1 2 3 4 5 6 7; do cmdpartctl kill g$i; cmdpartctl undefine g$i; done >/dev/null 2>&1
	cmdpartctl domain destroy batch
	cmdpartctl domain set default cpus="$(jq -r .cpus <<<"$domain")" memory="$(($(jq .memory <<<"$domain") / 1048576))MiB"
}
later put_back
cmdpartctl domain set default cpus="$(jq -r '.[:-1] | map(tostring) | join(",")' <<<"$cpus")" memory=640MiB
cmdpartctl domain create batch "$(jq -r '.[-1]' <<<"$cpus")" 256MiB

"$repository/build/tests/host/cmdpartd/clients" "$work" "$seconds" "$seed" >"$work/clients" 2>&1 &
clients=$!
killed=0 RANDOM=$seed
while sleep $((2 + RANDOM % 3)) && kill -0 $clients 2>/dev/null; do
	daemons=(uvd cmdpartd)
	kill -9 "$(pgrep -o -x "${daemons[RANDOM % 2]}")" 2>/dev/null || continue
	killed=$((killed + 1))
done
wait $clients || fail "$(<"$work/clients")"
echo "count: $(<"$work/clients"); $killed daemons killed"
within 60 cmdpartctl verify
