#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: cmdpartctl defines, plans, starts, lists, shows, pauses, resumes, stops and undefines a guest with disk, network card and console; its console is read and typed on; doing what is so already is no error; verify tells each difference between book and host, and what is nobody's is reaped; events stream all of it, and say where a restarted uvd left a gap
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

initrd 6.1-cloud 'echo "guest: ready"
while read -r line; do echo "guest: heard $line"; done'
disk web1 64M
definition web1 6.1-cloud 1 256MiB disk net console

rc() {
	local want=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/error" || status=$?
	((status == want)) || fail "$*: exit code $status, not $want: $(cat "$work/out" "$work/error")"
}

# A plan changes nothing and says why.
rc 0 cmdpartctl plan "$work/web1.json"
grep -q domain-memory "$work/out" || fail "no rule domain-memory: $(cat "$work/out")"
grep -qE 'root +io-[ab], io-[ab]' "$work/out" || fail "no two servers: $(cat "$work/out")"
rc 3 cmdpartctl show web1

told() { jq -s -e "$1" "$work/events" >/dev/null; }
all_told() { jq -r '[.number, .kind, .partition, .state, .status, .text] | join(" ")' "$work/events"; }
first=$(cmdpartctl host --json | jq .transactions)	# what other tests did before is none of ours
connected() { jq -s 'map(select(.kind == "connected" and .partition == "command")) | length' "$work/events"; }
cmdpartctl events --follow --limit 1 --json >"$work/events" 2>"$work/events.error" &
follower=$!
later "kill $follower 2>/dev/null"
rc 0 cmdpartctl define "$work/web1.json"
rc 0 cmdpartctl define "$work/web1.json"
grep -q already "$work/out" || fail "a second define: $(cat "$work/out")"
jq '.memory = "128MiB"' "$work/web1.json" >"$work/other.json"
rc 4 cmdpartctl define "$work/other.json"
rc 0 cmdpartctl stop web1
rc 4 cmdpartctl pause web1
rc 4 cmdpartctl console web1
# What is under way is no difference.
verify_on() {
	touch "$work/verify"
	while [ -e "$work/verify" ]; do cmdpartctl verify || echo "exit code $?"; sleep 0.1; done >>"$work/verified" 2>&1 &
	verifier=$!
}
verify_off() {
	rm "$work/verify"
	wait "$verifier"
	! grep -v '^no differences; compared: ' "$work/verified" || fail "verify: what is under way is told"
}
verify_on
rc 0 cmdpartctl start web1
rc 0 cmdpartctl start web1
grep -q already "$work/out" || fail "a second start: $(cat "$work/out")"
rc 4 cmdpartctl undefine web1

within 60 console_has web1 'guest: ready'
verify_off
cmdpartctl list
cmdpartctl show web1
cmdpartctl list --json | jq -e '.schema_version == 1 and
	(.partitions[] | select(.name == "web1") | .state == "running" and .memory_assigned == 268435456)' \
	>/dev/null || fail "list --json: $(cmdpartctl list --json)"
# Two different servers for each device, and not the same one first for all.
cmdpartctl show web1 --json | jq -e '[.channels[] | select(.servers | length == 2)] | length == 3 and
	(map(.servers[0].name) | unique | length == 2)' >/dev/null ||
	fail "servers: $(cmdpartctl show web1 --json | jq -c .channels)"

# Typed on the console; it echoes.
(sleep 1; echo "good morning"; sleep 4) | timeout 20 cmdpartctl console web1 >"$work/typed" || true
grep -q "guest: heard good morning" "$work/typed" || fail "the console did not hear: $(tail -5 "$work/typed")"

rc 0 cmdpartctl pause web1
rc 0 cmdpartctl pause web1
state_is web1 paused || fail "it is not paused"
before=$(cmdpartctl show web1 --json | jq .run_ns)
sleep 1
[ "$(cmdpartctl show web1 --json | jq .run_ns)" = "$before" ] || fail "it runs while paused"
rc 0 cmdpartctl resume web1

# Behind uvd's back, and past the triggers.
book_says() {
	sqlite3 -cmd '.timeout 5000' /var/lib/ultravisor/uvd.db "BEGIN IMMEDIATE; CREATE TEMP TABLE t AS SELECT * FROM memory;
		DELETE FROM memory; INSERT INTO memory SELECT partition, node, $1, page_size FROM t; COMMIT"
}
differs() { rc 9 cmdpartctl verify; grep -qE "^$1" "$work/out" || fail "not told: $1: $(cat "$work/out")"; }
monitor=$(pgrep -x uvmonitor)
echo "$monitor" >/sys/fs/cgroup/cgroup.procs
differs "process $monitor of web1 +host +its cgroup"
echo "$monitor" >/sys/fs/cgroup/ultravisor.slice/ultravisor-web1.scope/cgroup.procs
rc 0 cmdpartctl verify
book_says 266338304
differs 'memory of web1 +database: 254MiB +kernel: 256MiB'
ip tuntap add uvt77 mode tap
later 'ip link delete uvt77 2>/dev/null'
# Not uvd's: no tap, or another name.
ip link add uvt78 type dummy
ip tuntap add uvt-mine mode tap
later 'ip link delete uvt78; ip link delete uvt-mine'
mkdir /sys/fs/cgroup/ultravisor.slice/ultravisor-web9.scope
sleep 600 &
later "kill $! 2>/dev/null; rmdir /sys/fs/cgroup/ultravisor.slice/ultravisor-web9.scope 2>/dev/null"
echo $! >/sys/fs/cgroup/ultravisor.slice/ultravisor-web9.scope/cgroup.procs
setpriv --reuid ultravisor-monitor --clear-groups sleep 600 &
stray=$!
later "kill $stray 2>/dev/null"
differs 'tap uvt77 +host +database'
differs 'cgroup ultravisor-web9.scope +host +database'
within 5 differs "process $stray of uvmonitor +host +database"
is differences "$(cmdpartctl verify --json | jq '.differences | length')" 4
# The next uvd reaps what is nobody's, and says the rest again.
kill -KILL "$(pgrep -x uvd)"
verified() { (rc 9 cmdpartctl verify) && [ "$(grep -c . "$work/out")" = 2 ]; }
within 20 verified
differs 'memory of web1'
ip link show uvt78 >/dev/null && ip link show uvt-mine >/dev/null || fail "uvd took what is not its own"
! kill -0 "$stray" 2>/dev/null || fail "a process of uvmonitor's user was left"
book_says 268435456
rc 0 cmdpartctl verify
state_is web1 running || fail "it is $(cmdpartctl show web1 --json | jq -r .state)"
kill -KILL "$(cmdpartctl show io-a --json | jq .pid)"
within 20 told 'any(.kind == "server_promoted" and .text == "root: io-b")'

verify_on
rc 0 cmdpartctl stop web1
state_is web1 defined || fail "it is not off"
verify_off

# A cmdpartd that is started anew hides nothing; a uvd that is says so.
had=$(connected)
connected_again() { (($(connected) > had)); }
kill -KILL "$(pidof cmdpartd)"
within 20 cmdpartctl list
within 20 connected_again
told 'map(select(.kind == "gap")) | length == 1' || fail "gaps: $(all_told)"
told 'map(select(.kind == "state" and .partition == "web1" and .transaction > '"$first"').state) | unique - ["starting"] == ["defined", "paused", "running", "stopping"]' ||
	fail "states: $(all_told)"
within 10 told 'map(.kind) | index("disconnected") and index("server_lost") and index("server_promoted")' ||
	fail "servers: $(all_told)"
# Each has its number, once, in order, but where the other uvd begins.
told '[.[] | select(.kind != "gap")] | [range(1; length) as $i | .[$i].number - .[$i - 1].number] | unique - [1] | length <= 1' ||
	fail "numbers: $(all_told)"
cmdpartctl ledger --json | jq -c --argjson first "$first" '.ledger[] | select(.subject == "web1" and .transaction > $first) | [.transaction, .request_id]' | sort >"$work/ledger"
jq -c --argjson first "$first" 'select(.kind == "committed" or .kind == "refused") | select(.partition == "web1" and .transaction > $first) | [.transaction, .request_id]' "$work/events" | sort >"$work/told"
cmp "$work/ledger" "$work/told" || fail "ledger and events differ: $(diff "$work/ledger" "$work/told")"
rc 0 cmdpartctl events --limit 5
cmdpartctl domain --json | jq -e '.domains[0].memory_assigned == 0' >/dev/null || fail "memory is still assigned"
# What it printed can still be read, by cmdpartd alone.
console_has web1 'guest: heard good morning' || fail "no log after the power-off"
rc 0 cmdpartctl undefine web1
rc 3 cmdpartctl undefine web1
cmdpartctl ledger
