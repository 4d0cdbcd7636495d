#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a partition with a lease that nobody renews is held by the module alone, with uvd dead; list and show say so; renewed, it goes on; top tells what its vCPU does
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

initrd 6.1-cloud 'echo "guest: ready"
n=0; while :; do n=$((n + 1)); echo "guest: tick $n"; sleep 0.2; done'
definition web1 6.1-cloud 1 128MiB console
jq '.lease_s = 20' "$work/web1.json" >"$work/lease.json" && mv "$work/lease.json" "$work/web1.json"
definition web2 6.1-cloud 1 128MiB

lease() { cmdpartctl show web1 --json | jq -r ".lease.$1"; }
run_ns() { cmdpartctl show web1 --json | jq .run_ns; }
renew_loop() {
	while :; do
		cmdpartctl lease renew web1 >/dev/null 2>&1 || true
		sleep 2
	done
}

cmdpartctl define "$work/web1.json"
cmdpartctl define "$work/web2.json"
! cmdpartctl lease renew web1 2>"$work/error" || fail "renewed while off"
grep -q 'is off' "$work/error" || fail "$(cat "$work/error")"
! cmdpartctl lease renew web2 2>"$work/error" || fail "renewed without a lease"
grep -q 'lease_s' "$work/error" || fail "no way out: $(cat "$work/error")"
[[ $(cmdpartctl show web2 --json | jq -c .lease) == null ]] || fail "web2 has a lease"
renew_loop &
renewer=$!
cmdpartctl start web1
within 60 console_has web1 'guest: tick 3'
[[ $(lease seconds) == 20 && $(lease expired) == false ]] || fail "lease: $(cmdpartctl show web1)"
before=$(cmdpartctl ledger | wc -l)
cmdpartctl lease renew web1 | grep 'may run for' >/dev/null
renew_many() { curl -s --unix-socket /run/ultravisor/cmdpartd.sock -X POST -d "{\"partitions\":$1}" http://localhost/v1/leases; }
is "renewed at once" "$(renew_many '["web1","web1"]' | jq .renewed)" 2
is "with one unknown" "$(renew_many '["web1","nobody"]' | jq -r .code)" not_found
is "with one without a lease" "$(renew_many '["web2","web1"]' | jq -r .code)" conflict
is "of none" "$(renew_many '[]' | jq -r .code)" invalid
[[ $(cmdpartctl ledger | wc -l) == "$before" ]] || fail "a renewal is in the ledger"

cmdpartctl top --once
cmdpartctl top --json >"$work/top"
jq -e '.contexts[] | select(.partition == "web1") | .run_ns > 0 and .cpu_percent > 0 and .exit_count > 0 and
	(.exits | has("hlt")) and has("stolen_ns") and has("late_max_ns")' "$work/top" >/dev/null ||
	fail "top: $(cat "$work/top")"

# Nobody renews, and no daemon is needed for what follows.
kill "$renewer" && wait "$renewer" 2>/dev/null || true
old=$(pgrep -x uvd)
kill -KILL "$old"
within 60 eval '[[ $(lease expired) == true ]]'
a=$(run_ns)
sleep 1
[[ $(run_ns) == "$a" ]] || fail "it runs past its lease"
cmdpartctl list
cmdpartctl list | grep 'web1 .*lease expired' >/dev/null || fail "list does not say so"
ticks() { console web1 | grep -c tick; }
goes_on() { (($(ticks) > $1 + 2)); }
seen=$(ticks)
cmdpartctl lease renew web1
within 20 goes_on "$seen"
[[ $(lease expired) == false ]] || fail "still expired"
cmdpartctl lease renew web1
cmdpartctl stop web1
[[ $(lease epoch) == null ]] || fail "a lease of a partition that is off"
