#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest is defined, started with all that it needs in one message, paused, resumed, stopped and killed by transactions over the command channel; each leaves its ledger line, and an end releases all that was held
# where: appliance
# appliance: --no-daemons
# timeout: 200
. "$(dirname "$0")/lib/uvd.bash"

guest 'echo "guest: begins"
n=0; while :; do n=$((n + 1)); echo "guest: tick $n"; sleep 0.2; done'
truncate -s 64M "$work/disk.raw"
start_all
status_is 0 uvcommand domain default 1 512MiB
status_is 0 define web1 128MiB + block web1 root "$work/disk.raw" + network web1 net0 uvbr0
status_is 0 define web2 128MiB + block web2 root "$work/disk.raw"
# shellcheck disable=SC2054 # lists of servers
devices=(+ claim web1 root + channel web1 root io-a,io-b + claim web1 net0 + channel web1 net0 io-b,io-a)

# A plan says the same and changes nothing.
before=$(sql 'SELECT count(*) FROM ledger')
status_is 0 uvcommand --plan memory web1 128MiB 0 + cpu web1 0 1 + claim web1 console \
	+ channel web1 console io-a,io-b "${devices[@]}" + start web1
has "$tmp/out" 'partition name=web1 kind=1 state=2'
is "ledger after a plan" "$(sql 'SELECT count(*) FROM ledger')" "$before"
state_is web1 1 || fail "a plan started it"

status_is 0 start_guest web1 128MiB "${devices[@]}"
within 60 console_has web1 "guest: tick 3"
state_is web1 3 || fail "it does not run: $(uvcommand rows partition web1)"
is "its bridge" "$(ip -o link show master uvbr0 | wc -l)" 1
[ "$(cat /sys/fs/cgroup/ultravisor.slice/ultravisor-web1.scope/cgroup.procs)" -gt 1 ] || fail "no scope"
# The first of the servers in order serves.
uvcommand rows channel web1 | grep 'name=root' | grep >/dev/null 'slots=3,2' || fail "$(uvcommand rows channel web1)"

# What it has nobody else gets, and the refusal says who has it.
status_is 4 uvcommand claim web2 root
has "$tmp/out" 'in use by partition web1'
status_is 5 uvcommand memory web2 512MiB 0
has "$tmp/out" 'web1 has 128MiB'

status_is 0 uvcommand pause web1
a=$(console web1 | wc -l) && sleep 1
is "lines of a paused guest" "$(console web1 | wc -l)" "$a"
state_is web1 4 || fail "not paused"
status_is 4 uvcommand stop web1
status_is 0 uvcommand resume web1
within 10 eval '[ "$(console web1 | wc -l)" -gt "$a" ]'

status_is 4 uvcommand undefine web1
status_is 0 uvcommand stop web1
within 20 state_is web1 1
uvcommand rows partition web1 | grep >/dev/null 'reason="the guest powered off"' || fail "$(uvcommand rows partition web1)"
released() {
	is "memory assigned" "$(sql 'SELECT count(*) FROM memory')" 0
	is "contexts" "$(sql 'SELECT count(*) FROM context')" 0
	is "claims" "$(sql 'SELECT count(*) FROM claim')" 0
	is "channels but the command channel" "$(sql 'SELECT count(*) FROM channel')" 1
	! ip link show uvbr0 >/dev/null 2>&1 || fail "uvbr0 stays"
	[ -z "$(ip -o link show | grep uvt)" ] || fail "a tap stays"
	within 5 eval '[ ! -e /sys/fs/cgroup/ultravisor.slice/ultravisor-web1.scope ]'
	within 5 eval '! pgrep -x uvmonitor'
}
released

# A second life, ended by the plug; then one whose process dies.
status_is 0 start_guest web1 128MiB "${devices[@]}"
within 60 state_is web1 3
status_is 0 uvcommand kill web1
state_is web1 1 || fail "not off: $(uvcommand rows partition web1)"
released
status_is 0 start_guest web1 128MiB "${devices[@]}"
within 60 state_is web1 3
kill -KILL "$(pgrep -x uvmonitor)"
within 10 state_is web1 6
uvcommand rows partition web1 | grep >/dev/null 'killed by signal 9' || fail "$(uvcommand rows partition web1)"
released
status_is 0 uvcommand undefine web1
uvcommand rows ledger | grep -E 'who=uvd .*summary="release web1: the guest powered off"' >/dev/null ||
	fail "the guest's end is not in the ledger"
