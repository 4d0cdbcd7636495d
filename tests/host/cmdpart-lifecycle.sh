#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: cmdpartctl defines, plans, starts, lists, shows, pauses, resumes, stops and undefines a guest with disk, network card and console; its console is read and typed on; doing what is so already is no error
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

rc 0 cmdpartctl define "$work/web1.json"
rc 0 cmdpartctl define "$work/web1.json"
grep -q already "$work/out" || fail "a second define: $(cat "$work/out")"
jq '.memory = "128MiB"' "$work/web1.json" >"$work/other.json"
rc 4 cmdpartctl define "$work/other.json"
rc 0 cmdpartctl stop web1
rc 4 cmdpartctl pause web1
rc 4 cmdpartctl console web1
rc 0 cmdpartctl start web1
rc 0 cmdpartctl start web1
grep -q already "$work/out" || fail "a second start: $(cat "$work/out")"
rc 4 cmdpartctl undefine web1

within 60 console_has web1 'guest: ready'
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

rc 0 cmdpartctl stop web1
state_is web1 defined || fail "it is not off"
cmdpartctl domain --json | jq -e '.domains[0].memory_assigned == 0' >/dev/null || fail "memory is still assigned"
# What it printed can still be read, by cmdpartd alone.
console_has web1 'guest: heard good morning' || fail "no log after the power-off"
rc 0 cmdpartctl undefine web1
rc 3 cmdpartctl undefine web1
cmdpartctl ledger
