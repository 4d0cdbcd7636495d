#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: whichever I/O partition serves a guest's disk, network card and console is killed, over and over, while the guest writes, is pinged and speaks; it sees a stall and nothing else
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

# Writes files under their own checksum and reads them back past its cache; the loop stays in the
# foreground because a session's end would end it.
# shellcheck disable=SC2016 # the guest expands it
initrd 6.1-cloud 'mount -t ext4 /dev/vda /mnt
ip address add 10.77.0.2/24 dev eth0 && ip link set eth0 up
echo "guest: begins"
n=0
while :; do n=$((n + 1))
	dd if=/dev/urandom of=/mnt/new bs=64k count=6 conv=fsync 2>/dev/null || echo "guest: I/O ERROR write"
	sum=$(sha256sum /mnt/new | cut -c1-64)
	mv /mnt/new /mnt/$((n % 20)).$sum && sync || echo "guest: I/O ERROR rename"
	rm -f $(ls -d /mnt/$((n % 20)).* | grep -v $sum)
	if [ $((n % 5)) = 0 ]; then
		echo 3 >/proc/sys/vm/drop_caches
		for f in /mnt/*.*; do
			[ "$(sha256sum "$f" | cut -c1-64)" = "${f#*.}" ] || echo "guest: DAMAGED $f"
		done
	fi
	echo "guest: wrote $n."
done'
disk writer 96M
definition writer 6.1-cloud 1 256MiB disk net console
cmdpartctl define "$work/writer.json"
cmdpartctl start writer
bridge_up
within 60 console_has writer "guest: wrote 3"

last() { console writer | sed -n 's/.*guest: wrote \([0-9]*\)\..*/\1/p' | tail -n 1; }
advanced() { local now; now=$(last) && ((${now:-0} > $1)); }
pid_of() { pgrep -o -f "^([^ ]*/)?iopartd --instance $1"; }
replaced() { local now; now=$(pid_of "$1") && [[ $now != "$2" ]]; }
within 20 busybox ping -c 1 -W 1 10.77.0.2

longest=0
for round in 1 2 3 4 5 6 7; do
	for instance in a b; do
		before=$(last) old=$(pid_of "$instance")
		sleep "0.$((RANDOM % 10))"
		begin=${EPOCHREALTIME/./}
		kill -KILL "$old"
		# Every other time the standby has no time to come back before the next one dies.
		((round % 2)) && within 10 replaced "$instance" "$old"
		if ((round % 2)); then
			within 30 advanced "$((before + 1))"
			took=$(((${EPOCHREALTIME/./} - begin) / 1000))
			((took > longest)) && longest=$took
		fi
	done
	within 30 advanced "$(last)"
	within 20 busybox ping -c 1 -W 1 10.77.0.2
done
echo "14 kills; $(last) rounds of the guest; two rounds after a kill took at most $longest ms"

state_is writer running || fail "the guest is not running"
console writer >"$work/console"
! grep -E "I/O ERROR|I/O error|DAMAGED" "$work/console" || fail "the guest saw an error"
# The log has every round once, in order, from the first that it still holds.
sed -n 's/.*guest: wrote \([0-9]*\)\..*/\1/p' "$work/console" | awk '
	NR > 1 && $1 != last + 1 { print "after " last " comes " $1; bad = 1 } { last = $1 } END { exit bad }' ||
	fail "the console's log is not what the guest said"
cmdpartctl kill writer
within 10 state_is writer defined
e2fsck -fp "$work/writer.raw" || (($? == 1)) || fail "the file system is damaged"
