#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: what the module does can be traced, and a list says which objects keep it loaded
# where: appliance
# appliance: --no-daemons
# timeout: 120
set -euo pipefail
cd "$(dirname "$0")/../.."
t=/sys/kernel/tracing/instances/uvr
objects=/sys/kernel/debug/ultravisor/objects
mkdir "$t"
trap 'rmdir "$t"' EXIT

expect() {
	grep -E "$1" <<<"$trace" >/dev/null || {
		echo "not traced: $1" >&2
		exit 1
	}
}

# A tracepoint that is switched rewrites the kernel's code, which several emulated processors may
# see half done: meanwhile there is one.
processors=(/sys/devices/system/cpu/cpu[1-9]*/online)
events() {
	tee "${processors[@]}" <<<0
	echo "$1" >"$t/events/ultravisor/enable"
	tee "${processors[@]}" <<<1
} >/dev/null

# Off, nothing is recorded.
build/tests/host/kmod/lease "the servers lose its memory"
[ "$(grep -c '^[^#]' "$t/trace")" -eq 0 ]
events 1
build/tests/host/kmod/lease "the servers lose its memory"
build/tests/host/kmod/lease "past the deadline the guest stands still"
build/tests/host/kmod/channel "rings reach"
build/tests/host/kmod/channel "arguments of CHANNEL"
events 0
trace=$(<"$t/trace")
for kind in partition channel; do
	expect "uvr_object_create: id=[0-9]+ kind=$kind"
	expect "uvr_object_destroy: id=[0-9]+ kind=$kind"
	expect "uvr_object_free: id=[0-9]+ kind=$kind"
done
expect 'uvr_object_publish: id=[0-9]+ kind=partition'
expect 'uvr_event: event=server_attached id=[0-9]+ slot=0 epoch=0'
expect 'uvr_event: event=promoted id=[0-9]+ slot=0 epoch=1'
expect 'uvr_event: event=revoked id=[0-9]+ slot=-1'
expect 'uvr_event: event=lease_expired id=[0-9]+ slot=-1 epoch=1'
expect 'uvr_event: event=lease_renewed'
expect 'uvr_lease: id=[0-9]+ epoch=1 deadline=[0-9]+'
expect 'uvr_context_run: id=[0-9]+ index=0'
expect 'uvr_context_exit: id=[0-9]+ index=0 kind=intr'
expect 'uvr_context_forced: id=[0-9]+ index=0'
expect 'uvr_context_rest: id=[0-9]+ index=0'
expect 'uvr_ring: id=[0-9]+ index=[0-9]+ slot=0 sunk=1'
expect 'uvr_ring: id=[0-9]+ index=[0-9]+ slot=-1 sunk=1'

build/tests/host/kmod/object

# Nothing is left of all that, and the list says so: a headline.
for _ in $(seq 100); do
	[ "$(wc -l <"$objects")" -eq 1 ] && break
	sleep 0.1
done
cat "$objects"
[ "$(wc -l <"$objects")" -eq 1 ]
[ "$(stat -c %a "$objects")" = 400 ]
