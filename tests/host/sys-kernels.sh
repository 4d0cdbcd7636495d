#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: Debian's own kernels, stock and cloud, boot unmodified, find disk, network card and both processors, and power off cleanly
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

script='grep -q . /sys/block/vda/size && echo "guest: disk $(cat /sys/block/vda/size) sectors"
[ -e /sys/class/net/eth0 ] && echo "guest: network card $(cat /sys/class/net/eth0/address)"
echo "guest: $(grep -c ^processor /proc/cpuinfo) processors"
mount -t ext4 /dev/vda /mnt && echo "written by $(uname -r)" >/mnt/note && sync
umount /mnt && echo "guest: ready"'

for kernel in 6.1 6.1-cloud 6.12-cloud; do
	name=k${kernel//[.-]/}
	initrd "$kernel" "$script"
	disk "$name" 64M
	definition "$name" "$kernel" 2 256MiB disk net console
	cmdpartctl define "$work/$name.json"
	cmdpartctl start "$name"
	within 60 console_has "$name" "guest: ready"
	console_has "$name" "guest: disk 131072 sectors" || fail "$kernel: no disk"
	console_has "$name" "guest: network card" || fail "$kernel: no network card"
	console_has "$name" "guest: 2 processors" || fail "$kernel: not two processors"
	cmdpartctl stop "$name" --timeout 30
	state_is "$name" defined || fail "$kernel: not off after stop"
	e2fsck -fn "$work/$name.raw" || fail "$kernel: its file system is damaged"
	debugfs -R 'cat /note' "$work/$name.raw" 2>/dev/null | grep "written by 6" || fail "$kernel: no note"
done
