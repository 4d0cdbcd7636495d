#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest's driver that breaks every rule (sizes, rings out of bounds, loops, noise) has its device reset and the log says why; its own driver then works again, and a neighbour on the same I/O partitions notices nothing
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 300
source "$(dirname "$0")/lib/guest.bash"
seed=${SEED:-1}

# guest KERNEL NAME SCRIPT: an initrd of its own, with the hostile driver
cp -L "$repository/build/kernels/6.1-cloud/vmlinuz" "$work/6.1-cloud.vmlinuz"
guest() {
	printf '%s\n' "$2" >"$work/$1.init"
	"$repository/testhost/guest-initrd" "$work/$1.initrd" --kernel 6.1-cloud --init "$work/$1.init" \
		--file "$repository/build/tests/guest/hostile:/bin/hostile" >/dev/null
	disk "$1" 64M
	definition "$1" 6.1-cloud 1 256MiB disk net console
	sed -i "s/6.1-cloud.initrd/$1.initrd/" "$work/$1.json"
	cmdpartctl define "$work/$1.json"
	cmdpartctl start "$1"
}

guest neighbour 'mount -t ext4 /dev/vda /mnt
( n=0; while n=$((n + 1)); do
	dd if=/dev/urandom of=/tmp/f bs=64k count=4 2>/dev/null
	cp /tmp/f /mnt/f && sync && echo 3 >/proc/sys/vm/drop_caches &&
		[ "$(sha256sum </tmp/f)" = "$(sha256sum </mnt/f)" ] || { echo "neighbour: damaged"; break; }
	echo "neighbour: round $n"
done ) &'
# shellcheck disable=SC2016 # the guest's shell
guest hostile 'mount -t ext4 /dev/vda /mnt && echo sound >/mnt/before && sync && umount /mnt
cd /sys/bus/pci/drivers/virtio-pci
for d in 0000:*; do
	case $(cat $d/device) in
	0x1042) queue=0 ;;
	0x1041) queue=1 ;;
	*) continue ;;
	esac
	echo $d >unbind
	hostile $d $queue '"$seed"' 2000
	echo $d >bind
done
mount -t ext4 /dev/vda /mnt && [ "$(cat /mnt/before)" = sound ] && echo again >/mnt/after && sync &&
	echo "guest: the disk works again"
ip addr add 10.77.0.9/24 dev eth0 && ip link set eth0 up && echo "guest: the card is up again"'

within 90 console_has neighbour 'neighbour: round 1'
bridge_up
daemons() {
	pgrep -x 'uvd|cmdpartd|opsd|iopartd|uvmonitor' | sort | tr '\n' ' '
}
before=$(daemons)
within 180 console_has hostile 'guest: the card is up again'
within 20 console_has hostile 'guest: the disk works again'
within 20 busybox ping -c 1 -W 1 10.77.0.9
console hostile | grep hostile: || true
[[ $(console hostile | grep -c 'all as they should be') == 2 ]] || fail "a step did not end as it should"
[[ $(daemons) == "$before" ]] || fail "a daemon or monitor was replaced: $before, now $(daemons)"

# The neighbour goes on, and its data is whole.
round=$(console neighbour | grep -c 'neighbour: round')
within 30 eval "((\$(console neighbour | grep -c 'neighbour: round') > $round + 1))"
! console_has neighbour 'damaged\|I/O error' || fail "the neighbour was harmed"

# Why, where an operator looks.
for device in root net0; do
	cat /run/log/ultravisor/iopartd-*.log | grep "hostile/$device: the guest's driver is at fault: " >/dev/null ||
		fail "no I/O partition said what hostile/$device did"
done
cat /run/log/ultravisor/*.log | grep "at fault: the available index moved by more than the queue's size" >/dev/null ||
	fail "the log does not name the rule"
console_has hostile "\[ultravisor: device root: its driver " ||
	fail "the console log does not say what its driver did"
