#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: cmdpartd killed with SIGKILL again and again under load loses no request: a repeated request id is answered once and done once, the guest runs on, and the ledger has each change exactly once
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

initrd 6.1-cloud 'n=0; echo "guest: ready"
while :; do n=$((n + 1)); echo "guest: tick $n"; sleep 0.5; done'
definition web1 6.1-cloud 1 256MiB console
cmdpartctl define "$work/web1.json"
cmdpartctl start web1
within 60 console_has web1 'guest: ready'

# One who watches the console all the while: the command attaches again by itself.
cmdpartctl console --read-only web1 >"$work/seen" 2>"$work/watcher" </dev/null &
watcher=$!

kills=0
killer() {
	local pid
	while sleep 1.5; do
		pid=$(pidof cmdpartd) && kill -9 "$pid" && echo >>"$work/kills"
	done
}
killer &
killer=$!

# again COMMAND…: as a user would: as long as nothing was done (7) or nobody knows (8), repeat it with
# the same request id
again() {
	local id status try
	id=$(cat /proc/sys/kernel/random/uuid)
	for ((try = 0; try < 100; try++)); do
		status=0
		timeout 40 "$@" --request-id "$id" >"$work/out" 2>"$work/error" || status=$?
		case $status in
		7 | 8)	sleep 0.2 ;;
		*)	return "$status" ;;
		esac
	done
	fail "$*: no answer in $try tries: $(cat "$work/error")"
}

changes=0
end=$((SECONDS + 40))
while ((SECONDS < end || changes < 3)); do
	again cmdpartctl pause web1 || fail "pause: $(cat "$work/error")"
	again cmdpartctl resume web1 || fail "resume: $(cat "$work/error")"
	jq ".name = \"n$changes\"" "$work/web1.json" >"$work/n.json"
	again cmdpartctl define "$work/n.json" ||
		fail "define: $(cat "$work/error")"
	changes=$((changes + 1))
done
kill "$killer"
kills=$(wc -l <"$work/kills")
((kills >= 8 && changes >= 3)) || fail "only $kills kills and $changes rounds"

# Every definition is there once, and so is its line.
within 10 cmdpartctl list
for ((i = 0; i < changes; i++)); do
	[ "$(cmdpartctl ledger --limit 1000 --json | jq "[.ledger[] | select(.status == \"ok\" and .subject == \"n$i\")] | length")" = 1 ] ||
		fail "n$i: $(cmdpartctl ledger --limit 1000 | grep "n$i")"
	cmdpartctl undefine "n$i" >/dev/null
done
pauses=$(cmdpartctl ledger --limit 1000 --json | jq '[.ledger[] | select(.status == "ok" and (.summary | startswith("pause web1")))] | length')
((pauses == changes)) || fail "$pauses pauses in the ledger, not $changes"

# The guest never stopped for good, and the watcher saw each tick once and in order.
before=$(console web1 | grep -c 'guest: tick')
sleep 3
(($(console web1 | grep -c 'guest: tick') > before)) || fail "the guest stands"
kill -0 "$watcher" || fail "the console ended: $(cat "$work/watcher")"
kill "$watcher"
sed -n 's/.*guest: tick \([0-9]*\).*/\1/p' "$work/seen" >"$work/ticks"
sort -nu "$work/ticks" | cmp -s - "$work/ticks" || fail "the console repeated or mixed: $(tr '\n' ' ' <"$work/ticks")"
(($(tail -n 1 "$work/ticks") == $(wc -l <"$work/ticks"))) || fail "the console left out: $(tr '\n' ' ' <"$work/ticks")"
echo "$kills kills, $changes rounds, $(wc -l <"$work/ticks") ticks"
cmdpartctl kill web1
