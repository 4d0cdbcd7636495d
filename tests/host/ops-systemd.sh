#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: under systemd, installed by make install, a guest is activated, every unit is restarted and killed under it, it goes on, in a scope of its own that what the kernel holds for it is charged to, and is deactivated; one filter of the journal has its story over all daemons; when the host shuts down, a guest is powered off before what serves it is stopped
# where: host
# timeout: 500
if [[ ! ${APPLIANCE:-} ]]; then
	source "$(dirname "$0")/lib.sh"
	mkdir "$tmp/out"
	status=0
	APPLIANCE_OUT=$tmp/out "$appliance" --systemd --cpus 4 --memory 3G --timeout 400 -- \
		bash "$repo/tests/host/ops-systemd.sh" </dev/null || status=$?
	((status == 0)) || exit "$status"
	# The shutdown began behind the end of that; this is what the witness saw of it.
	has "$tmp/out/console" 'guest: power button'
	line() { grep -nE "$1" "$tmp/out/journal" | tail -n 1 | cut -d: -f1; }
	has "$tmp/out/journal" 'last: off'
	for unit in 'resource database' 'command partition' 'I/O partition.* a' 'I/O partition.* b'; do
		has "$tmp/out/journal" "systemd.*: Stopping .*$unit"
		(($(line 'last: off') < $(line "systemd.*: Stopping .*$unit"))) ||
			fail "stopped too early: $unit; $(grep -E 'last: |systemd.*: Stop' "$tmp/out/journal")"
	done
	exit
fi
source "$(dirname "$0")/lib/guest.bash"
# shellcheck disable=SC2034 # read by lib/guest.bash
work=/var/lib/ultravisor/images/ops-systemd
mkdir -p "$work"
units=(uvd cmdpartd iopartd@a iopartd@b opsd)

for unit in ultravisor.target "${units[@]/%/.service}"; do
	[[ $(systemctl is-active "$unit") == active ]] || fail "$(systemctl status "$unit" 2>&1)"
done
[[ $(command -v uvd) == /usr/sbin/uvd ]] || fail "uvd is not the installed one"
within 30 sh -c 'opsctl host list | grep -q " up "'
# shellcheck disable=SC2016 # for the guest's shell
initrd 6.1-cloud '( n=0; while :; do n=$((n + 1)); echo "guest: alive $n"; sleep 1; done ) &'
definition ops3 6.1-cloud 1 192MiB disk console
disk ops3 64M
opsctl activate "$work/ops3.json"
within 60 console_has ops3 "guest: alive 2"

monitor=$(pgrep -x uvmonitor)
grep -q 'ultravisor.slice/ultravisor-.*\.scope$' "/proc/$monitor/cgroup" || fail "its cgroup: $(cat "/proc/$monitor/cgroup")"
# Channels and VM, made before that had a process, are charged to it as well.
[[ -e /sys/kernel/debug/ultravisor ]] || mount -t debugfs debugfs /sys/kernel/debug
scope=$(stat -c %i /sys/fs/cgroup/ultravisor.slice/ultravisor-ops3.scope)
grep -q " name=ops3 .* cgroup=$scope " /sys/kernel/debug/ultravisor/objects ||
	fail "scope $scope is not charged: $(grep name= /sys/kernel/debug/ultravisor/objects)"
last() { console ops3 | sed -n 's/.*guest: alive \([0-9]*\).*/\1/p' | tail -n 1; }
advanced() { (($(last) > $1)); }
active() { [[ $(systemctl is-active "$1") == active ]]; }

# survives WHAT: the guest is the same process, and goes on; everything answers
survives() {
	local before each
	for each in "${units[@]}"; do within 20 active "$each.service"; done
	within 20 cmdpartctl list
	before=$(last)
	within 30 advanced "$before"
	[[ $(pgrep -x uvmonitor) == "$monitor" ]] || fail "$1: the guest's monitor is another one"
	within 20 sh -c 'opsctl list --json | jq -e ".partitions[0].state == \"running\""'
	echo "survived: $1"
}

for unit in "${units[@]}"; do
	systemctl restart "$unit.service"
	survives "systemctl restart $unit"
	systemctl kill --kill-whom=main --signal=KILL "$unit.service"
	survives "SIGKILL of $unit"
done
systemctl restart ultravisor.target
survives "systemctl restart ultravisor.target"

# No daemon but uvd is root or has a capability, and none can gain anything.
for unit in "${units[@]}"; do
	pid=$(systemctl show -P MainPID "$unit.service")
	uid=$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")
	grep -q '^NoNewPrivs:[[:blank:]]*1$' "/proc/$pid/status" || fail "$unit may gain privileges"
	grep -q '^Seccomp:[[:blank:]]*2$' "/proc/$pid/status" || fail "$unit has no filter of system calls"
	[[ $unit == uvd || $uid != 0 ]] || fail "$unit runs as root"
	[[ $unit == uvd || $(awk '/^Cap(Prm|Eff|Amb):/ { print $2 }' "/proc/$pid/status" | sort -u) =~ ^0+$ ]] ||
		fail "$unit has capabilities: $(grep ^Cap "/proc/$pid/status")"
done

opsctl deactivate ops3 --timeout 60
# One filter tells its story over all daemons; another, one request's way from the first to the last.
journalctl --sync
story() { journalctl -b -o json "$1" | jq -r .SYSLOG_IDENTIFIER | sort -u | xargs; }
is "who tells of ops3" "$(story ULTRAVISOR_PARTITION=ops3)" "cmdpartd iopartd opsd uvd uvmonitor"
request=$(cmdpartctl ledger --limit 1000 --json | jq -r 'first(.ledger[] | select(.who == "opsd" and .subject == "ops3")) | .request_id')
number=$(cmdpartctl ledger --limit 1000 --json | jq "first(.ledger[] | select(.request_id == \"$request\")) | .transaction")
is "who tells of its activation" "$(story "ULTRAVISOR_REQUEST=$request")" "cmdpartd opsd uvd"
is "who tells of that transaction" "$(story "ULTRAVISOR_TRANSACTION=$number")" "cmdpartd opsd uvd"
! pgrep -x uvmonitor || fail "a monitor is left"
[[ -z $(systemctl list-units --no-legend 'ultravisor-*.scope') ]] || fail "a scope is left"
! systemctl --failed --no-legend | grep -E 'uvd|part|opsd' || fail "a unit has failed"

# A guest that is on when the host shuts down, which it does when this has ended.
cat >/run/systemd/system/witness.service <<END
[Unit]
# Stopped behind all of them.
Before=ultravisor-guests.service ${units[@]/%/.service}
RequiresMountsFor=$APPLIANCE_OUT
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=true
ExecStop=sh -c 'cp /var/lib/ultravisor/console/*.log $APPLIANCE_OUT/console; journalctl -b --no-pager >$APPLIANCE_OUT/journal'
END
systemctl daemon-reload
systemctl start witness.service ultravisor-guests.service
rm -f /var/lib/ultravisor/console/*.log
definition last 6.1-cloud 1 192MiB net console
cmdpartctl define "$work/last.json"
cmdpartctl start last
within 60 console_has last "guest: alive 2"
guests=()
