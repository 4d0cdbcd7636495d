#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a partition that dies, is killed, or breaks down releases memory, processors, devices, taps, channels and cgroup; console log and event say why
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

initrd 6.1-cloud 'echo "guest: ready"
case $(cat /proc/cmdline) in *triple*) echo 1 >/proc/sys/kernel/sysrq; sleep 1; echo b >/proc/sysrq-trigger ;; esac'
disk dies 64M

released() {
	[[ $(cmdpartctl host --json | jq .memory.assigned) == 0 ]] &&
		[[ $(cmdpartctl show dies --json | jq .pid) == 0 ]] &&
		! ip -o link show type tun | grep >/dev/null . &&
		! ip link show uvbr0 &&
		! pgrep -x uvmonitor &&
		! find /sys/fs/cgroup/ultravisor.slice -name '*dies*' | grep >/dev/null .
}

definition dies 6.1-cloud 2 256MiB disk net console
cmdpartctl define "$work/dies.json"
released || fail "something is held before the first start"

cmdpartctl start dies
within 60 console_has dies "guest: ready"
released && fail "nothing is held by a running partition"
kill -KILL "$(pgrep -x uvmonitor)"
within 10 released
state_is dies failed || fail "its monitor was killed, and the state is not failed"
cmdpartctl show dies --json | jq -e '.reason | length > 0' >/dev/null || fail "no reason is recorded"

cmdpartctl start dies
within 60 console_has dies "guest: ready"
cmdpartctl kill dies
within 10 released
state_is dies defined || fail "killed by its operator, and the state is not defined"
cmdpartctl ledger | grep >/dev/null kill || fail "the ledger does not tell of the kill"

# Its kernel falls over by itself.
jq '.boot.cmdline += " reboot=t triple"' "$work/dies.json" >"$work/triple.json"
cmdpartctl undefine dies
cmdpartctl define "$work/triple.json"
cmdpartctl start dies
within 60 state_is dies failed
within 10 released
cmdpartctl show dies --json | jq -r .reason | grep >/dev/null "triple fault" || fail "the reason is not the triple fault"
within 10 console_has dies "\[ultravisor: the partition has failed: triple fault"
