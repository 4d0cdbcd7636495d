#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a list of operations happens whole or not at all; the ledger has who asked and why, the history whose each row was; a conflict names who changed the row; what does not fit is refused with limit, asked, in use, by whom and free; requests at once are placed beside each other; hundreds of rows are read whole
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

rc() {
	local want=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/error" || status=$?
	((status == want)) || fail "$*: exit code $status, not $want: $(cat "$work/out" "$work/error")"
}

initrd 6.1-cloud 'echo "guest: ready"'
definition web1 6.1-cloud 1 256MiB console
guests+=(web2 web3)

# All: two are defined and started in one transaction, with one number.
jq -n --slurpfile d "$work/web1.json" '{ operations: [ { define: $d[0] }, { define: ($d[0] | .name = "web2") },
	{ start: "web1" }, { start: "web2" } ] }' >"$work/all.json"
rc 0 cmdpartctl transact "$work/all.json"
number=$(sed -n 's/.*transaction \([0-9]*\).*/\1/p' "$work/out")
cmdpartctl ledger --json | jq -e ".ledger[-1:] + .ledger | any(.transaction == $number and .operations > 8 and .status == \"ok\")" \
	>/dev/null || fail "no such transaction: $(cmdpartctl ledger)"
within 60 state_is web1 running
within 60 state_is web2 running
# Placed beside each other, not on top of each other.
[ "$(cmdpartctl show web1 --json | jq -r '.contexts[0].cpus')" != "$(cmdpartctl show web2 --json | jq -r '.contexts[0].cpus')" ] ||
	fail "both on one CPU although others are idle"
rc 0 cmdpartctl transact "$work/all.json"

# None: the last operation cannot be done, so the first is not either.
jq -n --slurpfile d "$work/web1.json" '[ { define: ($d[0] | .name = "web3") }, { kill: "web1" }, { start: "nobody" } ]' >"$work/none.json"
rc 3 cmdpartctl transact "$work/none.json"
grep -q 'operations\[2\]' "$work/error" || fail "the operation is not named: $(cat "$work/error")"
rc 3 cmdpartctl show web3
state_is web1 running || fail "web1 was killed"
jq -n '[ { start: "web1", kill: "web1" } ]' >"$work/bad.json"
rc 2 cmdpartctl transact "$work/bad.json"
rc 2 cmdpartctl transact <(echo '[]')

# What does not fit says why, in a plan as in the start.
jq '.name = "giant" | .memory = "64GiB"' "$work/web1.json" >"$work/giant.json"
rc 5 cmdpartctl plan "$work/giant.json"
rc 0 cmdpartctl define "$work/giant.json"
rc 5 cmdpartctl start giant
grep -qE 'limit .*, asked 64(.0+)? GiB, in use 512 MiB \(web1 \(256 MiB\), web2 \(256 MiB\)\), free' "$work/error" ||
	fail "the reason: $(cat "$work/error")"
cat "$work/error"
rc 5 cmdpartctl start giant --json
jq -e '.code == "resources" and (.details.rules | map(select(.fits | not).rule) | index("domain-memory"))' "$work/error" >/dev/null ||
	fail "the error object: $(cat "$work/error")"
state_is giant defined || fail "giant is not off"
rc 0 cmdpartctl undefine giant

# Hundreds of definitions, in few transactions; all of them are read back.
for chunk in 1 2 3 4; do
	jq -n --slurpfile d "$work/web1.json" --argjson c "$chunk" \
		'[range(50) as $i | { define: ($d[0] | .name = "many-\($c)-\($i)") }]' >"$work/many$chunk.json"
	rc 0 cmdpartctl transact "$work/many$chunk.json"
done
[ "$(cmdpartctl list --json | jq '[.partitions[] | select(.name | startswith("many-"))] | length')" = 200 ] ||
	fail "not 200: $(cmdpartctl list | wc -l)"
rc 0 cmdpartctl show many-4-49
# The quota: 256 guests, of which 202 are there.
jq -n --slurpfile d "$work/web1.json" '[range(55) as $i | { define: ($d[0] | .name = "more-\($i)") }]' >"$work/more.json"
rc 5 cmdpartctl transact "$work/more.json"
grep -q 'rule partitions' "$work/error" || fail "the quota: $(cat "$work/error")"
rc 3 cmdpartctl show more-0

# Twenty at once, each with its own answer.
for i in $(seq 0 19); do
	(cmdpartctl undefine "many-1-$i" >"$work/at-once.$i" 2>&1; echo "rc $?" >>"$work/at-once.$i") &
done
wait
grep -L 'rc 0' "$work"/at-once.* | while read -r f; do fail "$f: $(cat "$f")"; done
for chunk in 1 2 3 4; do
	jq -n --argjson c "$chunk" '[range(if $c == 1 then 20 else 0 end; 50) | { undefine: "many-\($c)-\(.)" }]' >"$work/gone.json"
	rc 0 cmdpartctl transact "$work/gone.json"
done
[ "$(cmdpartctl list --json | jq '[.partitions[] | select(.kind == "guest")] | length')" = 2 ] || fail "some are left"

# Domains: parts of the pool, by name.
rc 0 cmdpartctl domain
rc 5 cmdpartctl domain create batch 3 512MiB
rc 4 cmdpartctl domain destroy default

# Who, and why: in the ledger; whose a row was: in its history, also when its owner is no more.
rc 0 cmdpartctl pause web2 --reason 'Wärmetest, "heiß"'
cmdpartctl ledger --json | jq -e --arg reason 'Wärmetest, "heiß"' '.ledger[-1] | .reason == $reason and .who == "root" and .pid > 0
	and .epoch == null and .text == ""' >/dev/null || fail "who and why: $(cmdpartctl ledger --limit 1 --json)"
rc 2 cmdpartctl resume web2 --reason $'\xff'
rc 2 cmdpartctl resume web2 --reason "$(printf '%256s' x)"
curl -s --unix-socket /run/ultravisor/cmdpartd.sock -X POST -d '{"generation":1}' http://localhost/v1/partitions/web2/resume |
	jq -e '.code == "conflict" and (.why | test("generation 1 was seen, it is [0-9]+ since transaction [0-9]+ of root$"))' \
	>/dev/null || fail "a conflict does not say who changed the row"
rc 0 cmdpartctl kill web2
moment=$(cmdpartctl history memory:0 --json | jq '[.history[] | select(.owner == "web2")][0] | (.since / 1e9 | floor) + 1')
rc 0 cmdpartctl undefine web2
rc 0 cmdpartctl history web2
cat "$work/out"
cmdpartctl history web2 --json | jq -e '.history | all(.until) and any(.noun == "processor") and any(.noun == "memory" and
	.row.bytes == 268435456) and any(.noun == "channel" and .key == "web2/console")' >/dev/null || fail "web2's history"
cmdpartctl history memory:0 --at "@$moment" --json | jq -e '.history | map(.owner) | index("web2")' >/dev/null ||
	fail "web2 had no memory at $moment: $(cmdpartctl history memory:0)"
rc 3 cmdpartctl history web2 --at @1
rc 3 cmdpartctl history nothing-ever

# A request that comes again gets its first answer, when nothing is left to do, and when it would be refused by now.
again() { # COMMAND…
	local id first
	id=$(</proc/sys/kernel/random/uuid)
	rc 0 cmdpartctl "$@" --request-id "$id" --json
	first=$(jq -c '[.transaction, .already]' "$work/out")
	rc 0 cmdpartctl "$@" --request-id "$id" --json
	is "the second answer to $*" "$(jq -c '[.transaction, .already]' "$work/out")" "$first"
	[[ $first == *false* ]] || fail "$*: $first"
}
jq '.name = "twice"' "$work/web1.json" >"$work/twice.json"
again define "$work/twice.json"
again set twice cpus.budget_ms=20 cpus.period_ms=100
# Drafted anew it would be another transaction, which could be done.
jq -n '[ { kill: "twice" }, { start: "twice" } ]' >"$work/restart.json"
again transact "$work/restart.json"
cmdpartctl kill twice
again undefine twice
rc 3 cmdpartctl undefine twice --request-id "$(</proc/sys/kernel/random/uuid)"

# A copy of the book in use is a book.
rc 0 cmdpartctl backup "$work/book"
rc 0 uvd --check-db
grep >/dev/null 'sound; version [0-9]' "$work/out" || fail "$(cat "$work/out")"
[ "$(sqlite3 "$work/book" 'SELECT count(*) FROM partition WHERE name = "web1"; PRAGMA journal_mode' | xargs)" = "1 delete" ] ||
	fail "the copy is not the book"
rc 1 uvd --restore "$work/book"
