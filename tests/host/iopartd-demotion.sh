#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest's devices are taken from a living server, by promotion of the standby and by revocation, while the guest writes; it sees a stall, and the old server is a standby again
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 180
source "$(dirname "$0")/lib/guest.bash"
switch=$repository/build/tests/host/iopartd/switch

# shellcheck disable=SC2016 # the guest expands it
initrd 6.1-cloud 'mount -t ext4 /dev/vda /mnt
ip address add 10.77.0.2/24 dev eth0 && ip link set eth0 up
echo "guest: begins"
n=0
while :; do n=$((n + 1))
	dd if=/dev/urandom of=/mnt/$((n % 10)) bs=64k count=4 conv=fsync 2>/dev/null || echo "guest: I/O ERROR"
	sum=$(sha256sum /mnt/$((n % 10)))
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(sha256sum /mnt/$((n % 10)))" = "$sum" ] || echo "guest: DAMAGED"
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
# All three have a standby, so all three can be switched.
switches() { [[ $("$switch" "$1") == 3 ]]; }

pids=$(pgrep iopartd)
for how in promote promote revoke promote revoke revoke promote promote; do
	before=$(last)
	switches "$how" || fail "$how: not all three devices had a standby"
	within 30 advanced "$before"
	within 20 busybox ping -c 1 -W 1 10.77.0.2
	# Revoked descriptors are asked for again after a second.
	[[ $how == promote ]] || sleep 3
done
[[ $(pgrep iopartd) == "$pids" ]] || fail "a server did not live through it"
console writer >"$work/console"
! grep -E "I/O ERROR|I/O error|DAMAGED" "$work/console" || fail "the guest saw an error"
sed -n 's/.*guest: wrote \([0-9]*\)\..*/\1/p' "$work/console" | awk '
	NR > 1 && $1 != last + 1 { print "after " last " comes " $1; bad = 1 } { last = $1 } END { exit bad }' ||
	fail "the console's log is not what the guest said"
cmdpartctl kill writer
within 10 state_is writer defined
e2fsck -fp "$work/writer.raw" || (($? == 1)) || fail "the file system is damaged"
