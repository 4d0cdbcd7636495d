#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: host stop ends guests by their power buttons, the last started first, says which did not go and kills those with --force; nothing starts meanwhile; then the module unloads once the daemons are stopped; host purge is refused while uvd lives and clears everything when it is dead
# where: appliance
# appliance: --no-daemons
# timeout: 300
source "$(dirname "$0")/lib/guest.bash"

module=$repository/build/kmod/$(uname -r | cut -d. -f1,2)/ultravisor.ko
declare -A pids=()
up() {
	"$@" </dev/null >>"$work/${!#}.log" 2>&1 &
	pids[${!#}]=$!
}
daemons_up() {
	up uvd
	within 15 test -S /run/ultravisor/uvd.sock
	up iopartd --instance a
	up iopartd --instance b
	up cmdpartd
	within 15 cmdpartctl list
	within 15 state_is io-b running
}
# down SIGNAL NAME…
down() {
	local signal=$1 name
	shift
	for name; do
		kill -"$signal" "${pids[$name]}" 2>/dev/null || true
		wait "${pids[$name]}" 2>/dev/null || true
		unset "pids[$name]"
	done
}
all_down() { down KILL "${!pids[@]}"; tail -n 20 "$work"/*.log >&2; }
finish() {
	local status=$?
	((status == 0)) || all_down
	set +e
	down KILL "${!pids[@]}" 2>/dev/null
	cmdpartctl host purge --force >/dev/null 2>&1
	lsmod | grep '^ultravisor ' >/dev/null || insmod "$module"
	rm -rf "$work" /var/lib/ultravisor/uvd.db* /var/lib/ultravisor/console /var/lib/ultravisor/command
	exit $status
}
trap finish EXIT

initrd 6.1-cloud 'echo "guest: ready"; trap "" TERM
case $(cat /proc/cmdline) in *deaf*) while :; do sleep 100; done ;; esac
while :; do sleep 1; done'
for name in first second third; do definition "$name" 6.1-cloud 1 128MiB net console; done

daemons_up
for name in first second third; do
	cmdpartctl define "$work/$name.json"
	cmdpartctl start "$name"
done
for name in first second third; do within 60 console_has "$name" 'guest: ready'; done
! cmdpartctl host purge --force 2>"$work/error" || fail "purged under a living uvd"
grep -q 'uvd is alive' "$work/error" || fail "$(cat "$work/error")"
cmdpartctl pause first
# A paused one hears its button again; a parked one does not.
kill -STOP "$(cmdpartctl show second --json | jq .pid)"
status=0
cmdpartctl host stop --timeout 12 >"$work/out" 2>"$work/error" || status=$?
cat "$work/out" "$work/error"
((status == 1)) || fail "host stop: exit code $status"
[[ $(cut -d: -f1 "$work/out" | tr '\n' ' ') == "third second first " ]] || fail "not in order"
grep -q '^second: still on' "$work/out" || fail "it does not say who is left"
grep -q '^first: off' "$work/out" || fail "a paused guest was not ended"
status=0
cmdpartctl start third 2>"$work/error" || status=$?
((status == 4)) || fail "a start while the host is stopped: $status"
grep -q 'host start' "$work/error" || fail "no way out: $(cat "$work/error")"
! rmmod ultravisor 2>/dev/null || fail "unloaded under a guest"
cmdpartctl host stop --timeout 1 --force | tee "$work/out"
grep -q '^second: killed' "$work/out" || fail "not killed"
down TERM cmdpartd uvd a b
rmmod ultravisor || fail "after host stop: $(cat /sys/module/ultravisor/refcnt)"

# The book survives; a new load of the module lets partitions start again.
insmod "$module"
daemons_up
cmdpartctl start first
within 60 state_is first running
cmdpartctl host stop --timeout 60
cmdpartctl host start
cmdpartctl start second
cmdpartctl start third
within 60 console_has third 'guest: ready'
down KILL uvd cmdpartd
! rmmod ultravisor 2>/dev/null || fail "unloaded with uvd dead and guests alive"
cmdpartctl host purge --force | tee "$work/out"
grep -q '^partition third: monitor .* killed' "$work/out" || fail "no monitor was killed"
! pgrep -x uvmonitor || fail "a monitor is left"
down KILL a b
rmmod ultravisor || fail "after host purge"
[[ -z $(ip -o link show | grep -E 'uvt|uvbr0') ]] || fail "taps are left: $(ip -o link show)"
! ls -d /sys/fs/cgroup/ultravisor.slice/ultravisor-*.scope 2>/dev/null || fail "cgroups are left"
insmod "$module"
daemons_up
for name in second third; do state_is "$name" failed || fail "$name is not known to be off"; done
for name in first second third; do cmdpartctl undefine "$name"; done
cmdpartctl host stop
down TERM cmdpartd uvd a b
rmmod ultravisor || fail "at the end"
insmod "$module"
