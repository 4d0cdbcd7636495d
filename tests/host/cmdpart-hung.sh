#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: an I/O partition that hangs while a guest writes is revoked, killed and started again, the other one serves, and the guest sees no error; without the deadline (an idle one hangs) nothing is done to it
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

# shellcheck disable=SC2016 # the guest expands it
initrd 6.1-cloud 'mount -t ext4 /dev/vda /mnt
echo "guest: begins"
n=0
while :; do n=$((n + 1))
	dd if=/dev/urandom of=/mnt/new bs=64k count=4 conv=fsync 2>/dev/null || echo "guest: I/O ERROR write"
	sum=$(sha256sum /mnt/new | cut -c1-64)
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(sha256sum /mnt/new | cut -c1-64)" = "$sum" ] || echo "guest: DAMAGED"
	echo "guest: wrote $n."
done'
# Who serves is to be who served.
fail_back 0
disk writer 64M
definition writer 6.1-cloud 1 256MiB disk console
cmdpartctl define "$work/writer.json"
cmdpartctl start writer
within 60 console_has writer "guest: wrote 3"

last() { console writer | sed -n 's/.*guest: wrote \([0-9]*\)\..*/\1/p' | tail -n 1; }
advanced() { local now; now=$(last) && ((${now:-0} > $1)); }
pid_of() { pgrep -o -f "^([^ ]*/)?iopartd --instance $1"; }
replaced() { local now; now=$(pid_of "$1") && [[ $now != "$2" ]]; }
server_of() { cmdpartctl show writer --json | jq -r '.channels[] | select(.device == "root") | .servers[] | select(.state == "serving") | .name'; }

later 'pkill -CONT -x iopartd'
longest=0
for _ in 1 2; do
	serving=$(server_of) instance=${serving#io-}
	old=$(pid_of "$instance") before=$(last)
	begin=${EPOCHREALTIME/./}
	kill -STOP "$old"
	within 60 replaced "$instance" "$old"
	within 30 advanced "$((before + 2))"
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
	((took > longest)) && longest=$took
	[[ $(server_of) != "$serving" ]] || fail "the hung one still serves"
	within 30 eval '[[ $(cmdpartctl show writer --json | jq -r "[.channels[].servers[].state] | sort | unique | join(\" \")") == "serving standby" ]]'
done
console writer | grep -E 'I/O ERROR|DAMAGED|error' && fail "the guest has seen it"
grep 'is hung' /run/log/ultravisor/uvd.log >/dev/null || fail "uvd's log does not say so"

# Nobody waits for a standby: it may sleep.
standby=$([[ $(server_of) == io-a ]] && echo b || echo a)
old=$(pid_of "$standby")
kill -STOP "$old"
sleep 7
kill -CONT "$old"
[[ $(pid_of "$standby") == "$old" ]] || fail "a standby of whom nothing was asked was killed"
echo "2 hung servers; the guest went on after at most $longest ms"
