#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the policy file, with drop-ins and reloads, is checked, printed, enforced and explained: the pool, domains, quotas, and CPUs kept for dedicated vCPUs; a bad one is refused with file, key and reason
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 260
source "$(dirname "$0")/lib/guest.bash"

policy=/etc/ultravisor/policy.json
# shellcheck disable=SC2016 # expanded then
later 'rm -rf "$policy" "${policy%.json}.d"'
mkdir -p /etc/ultravisor
rc() {
	local want=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/error" || status=$?
	((status == want)) || fail "$*: exit code $status, not $want: $(cat "$work/out" "$work/error")"
}
restart() {
	kill -9 "$(pidof cmdpartd)"
	within 10 cmdpartctl policy
}

# The pool as it is, for the next test in this test host.
jq_pool='{ version: 1, host: { cpus: .cpus.list, memory: "\(.memory.pool / 2097152 | floor * 2)MiB" },
	domains: [ { name: "default", cpus: .cpus.list, memory: "\(.memory.pool / 2097152 | floor * 2)MiB" } ] }'
cmdpartctl host --json | jq "$jq_pool" >"$work/before.json"

# Checked without being used.
rc 0 cmdpartd --check-config
grep -q 'these are the defaults' "$work/error" || fail "no file: $(cat "$work/error")"
echo '{ "quotas": { "vcpu": 4 } }' >"$work/bad.json"
rc 2 cmdpartd --check-config --config "$work/bad.json"
grep -q "$work/bad.json: quotas.vcpu: unknown key" "$work/error" || fail "bad policy: $(cat "$work/error")"
grep -q 'did you mean "vcpus"' "$work/error" || fail "the way out: $(cat "$work/error")"
rc 2 cmdpartd --check-config --config "$work/bad.json" --json
jq -e '.code == "invalid"' "$work/error" >/dev/null || fail "not JSON: $(cat "$work/error")"

# In force after a restart: another pool, two domains in place of the empty one.
cat >"$policy" <<-END
{ "version": 1, "host": { "cpus": "1-3", "memory": "768MiB" },
  "domains": [ { "name": "default", "cpus": "1-2", "memory": "512MiB" }, { "name": "batch", "cpus": "3", "memory": "256MiB" } ],
  "quotas": { "partitions": 3, "vcpus": 2, "memory": "512MiB" },
  "placement": { "vcpus_per_cpu": 1, "dedicated": "2" } }
END
rc 0 cmdpartd --check-config
restart
domains_are() { [ "$(cmdpartctl domain --json | jq -r '[.domains[] | "\(.name) \(.cpus) \(.memory / 1048576)"] | join("; ")')" = "$1" ]; }
within 10 domains_are 'batch 3 256; default 1-2 512'
cmdpartctl host --json | jq -e '.memory.pool == 805306368 and .cpus.list == "1-3" and (.pool_is_default | not)' >/dev/null ||
	fail "pool: $(cmdpartctl host)"

initrd 6.1-cloud 'echo "guest: ready"'
definition any 6.1-cloud 1 128MiB console
define() { # NAME JQ-EDIT
	jq ".name = \"$1\" | $2" "$work/any.json" >"$work/$1.json"
	cmdpartctl define "$work/$1.json" >/dev/null
	guests+=("$1")
}
cpus() { cmdpartctl show "$1" --json | jq -r '[.contexts[].cpus] | join(" ")'; }

# Shared vCPUs keep off CPU 2; a dedicated one gets it; the batch domain is CPU 3 alone.
define a .
define d '.cpus.mode = "dedicated"'
define b '.domain = "batch"'
for name in a d b; do rc 0 cmdpartctl start "$name"; done
[ "$(cpus a)/$(cpus d)/$(cpus b)" = 1/2/3 ] || fail "placed: $(cpus a)/$(cpus d)/$(cpus b)"
cmdpartctl show --map
for line in 'the host .* - .*CPU 0' 'default .* aD .*CPU 1-2' 'batch .* b .*CPU 3' 'a  *a  *1 vCPU shared .*CPU 1'; do
	cmdpartctl show --map | grep "$line" >/dev/null || fail "the map has no line \"$line\""
done
cmdpartctl show --map --json | jq -e '[.contexts[].cpus] | sort == ["1", "2", "3"]' >/dev/null || fail "the map as JSON"
# A fourth is beyond the quota; a second shared vCPU beyond the overcommit; the memory beyond the domain.
jq '.name = "e"' "$work/any.json" >"$work/e.json"
rc 5 cmdpartctl define "$work/e.json"
grep -q 'rule partitions' "$work/error" || fail "quota: $(cat "$work/error")"
rc 0 cmdpartctl kill b
rc 0 cmdpartctl undefine b
rc 0 cmdpartctl define "$work/e.json"
guests+=(e)
rc 5 cmdpartctl start e
grep -q 'rule overcommit' "$work/error" || fail "overcommit: $(cat "$work/error")"

# Why: the refusal by its rule and what would help; of one that runs the rules that chose, and who asked.
rc 0 cmdpartctl why e
for line in 'would be refused now: refused by the rule overcommit' 'no  *overcommit .*raise vcpus_per_cpu' 'root .*define.* e'; do
	grep "$line" "$work/out" >/dev/null || fail "why e has no \"$line\": $(cat "$work/out")"
done
rc 0 cmdpartctl why d
for line in 'd is running' 'would choose the same now' 'yes  *processors .*CPU 2' 'root .*start.* d'; do
	grep "$line" "$work/out" >/dev/null || fail "why d has no \"$line\": $(cat "$work/out")"
done
rc 0 cmdpartctl pause a
cmdpartctl why a --json | jq -e '.as_now and (.waits | test("paused")) and .has.contexts[0].cpus == "1"' >/dev/null || fail "why a"
rc 0 cmdpartctl resume a
rc 3 cmdpartctl why nobody

# A plan holds what it was given: not for others, and for its own start with its token alone; given back, used or over, it is gone.
reserve() { rc 0 cmdpartctl plan e --reserve "$1" --json; token=$(jq -r .plan.token "$work/out"); }
rc 0 cmdpartctl kill a
reserve 600
rc 5 cmdpartctl start a
grep 'rule overcommit' "$work/error" >/dev/null || fail "reserved for e: $(cat "$work/error")"
rc 4 cmdpartctl start e
grep -- "start e --plan $token" "$work/error" >/dev/null || fail "the way out: $(cat "$work/error")"
rc 4 cmdpartctl undefine e
rc 4 cmdpartctl start a --plan "$token"
rc 0 cmdpartctl plan --release "$token"
rc 3 cmdpartctl start e --plan "$token"
rc 0 cmdpartctl start a
rc 0 cmdpartctl kill a
reserve 600
rc 0 cmdpartctl start e --plan "$token"
[ "$(cpus e)" = 1 ] || fail "planned: $(cpus e)"
rc 3 cmdpartctl start e --plan "$token"
rc 0 cmdpartctl kill e
reserve 1
sleep 1.5
rc 3 cmdpartctl start e --plan "$token"
rc 0 cmdpartctl start a

# A bad drop-in is refused by file and key, and the old policy stays; a good one is in force at once, without moving anybody.
mkdir -p "${policy%.json}.d"
drop=${policy%.json}.d/50-more.json
echo '{ "quotas": { "partition": 4 } }' >"$drop"
rc 2 cmdpartctl policy reload
grep "$drop: quotas.partition: unknown key" "$work/error" >/dev/null || fail "bad drop-in: $(cat "$work/error")"
cmdpartctl policy --json | jq -e '.policy.quotas.partitions == 3' >/dev/null || fail "the bad policy counts"
echo '{ "placement": { "vcpus_per_cpu": 2 } }' >"$drop"
rc 0 cmdpartctl policy reload
rc 0 cmdpartctl start e
[ "$(cpus a)/$(cpus d)/$(cpus e)" = 1/2/1 ] || fail "placed: $(cpus a)/$(cpus d)/$(cpus e)"
rm -r "${policy%.json}.d"
kill -HUP "$(pidof cmdpartd)"
reloaded() { cmdpartctl policy --json | jq -e '.policy.placement.vcpus_per_cpu == 1' >/dev/null; }
within 10 reloaded
state_is e running || fail "e does not run any more"

# Started at boot, in order, once: what is ended afterwards stays off. A load of the module that nobody knows of stands for the boot.
rc 0 cmdpartctl kill e
rc 0 cmdpartctl kill d
rc 0 cmdpartctl kill a
sed -i 's/^{ "version": 1,/{ "version": 1, "autostart": [ "d", "nobody", "a" ],/' "$policy"
rm -f /var/lib/ultravisor/command/autostart.json
last=$(cmdpartctl host --json | jq .transactions)
restart
within 20 state_is d running
within 20 state_is a running
within 10 test -s /var/lib/ultravisor/command/autostart.json
started=$(cmdpartctl ledger --after "$last" --json | jq -r '[.ledger[] | select(.reason == "autostart") | .subject] | join(" ")')
[ "$started" = "d a" ] || fail "started: $started"
rc 0 cmdpartctl kill a
restart
state_is a defined || fail "a was started again"
rc 0 cmdpartctl start a

# A domain that is in use stays as it is, and the log says so; a broken file keeps cmdpartd from starting,
# and no guest minds.
sed -i 's/"1-2", "memory": "512MiB"/"1-2", "memory": "384MiB"/' "$policy"
restart
within 10 grep -q 'are not in force' /run/log/ultravisor/cmdpartd.log
domains_are 'batch 3 256; default 1-2 512' || fail "domains: $(cmdpartctl domain)"
state_is a running || fail "a does not run"
cp "$work/bad.json" "$policy"
kill -9 "$(pidof cmdpartd)"
within 10 grep -q 'quotas.vcpu: unknown key' /run/log/ultravisor/cmdpartd.log
rc 7 cmdpartctl list
rm "$policy"
within 15 cmdpartctl list
state_is a running || fail "a does not run"

# Back to what it was; "batch", which no policy names any more, is destroyed by hand.
for name in "${guests[@]}"; do
	cmdpartctl kill "$name" >/dev/null 2>&1 || true
	cmdpartctl undefine "$name" >/dev/null 2>&1 || true
done
rc 0 cmdpartctl domain destroy batch
rc 0 cmdpartctl domain destroy default
cp "$work/before.json" "$policy"
restart
within 10 domains_are "$(jq -r '.domains[0] | "default \(.cpus) \(.memory | rtrimstr("MiB"))"' "$work/before.json")"
rm "$policy"
restart
