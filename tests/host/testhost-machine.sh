#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the test host is a hypervisor's host: KVM guests in it are real, and cgroups, tap, bridge, loop and a durable file system are there
# where: appliance
# appliance: --no-daemons
# timeout: 120
. "$(dirname "$0")/lib.sh"

[ -n "${APPLIANCE-}" ] || fail "this runs in the test host"
for controller in cpu cpuset io memory pids; do
	grep -qw "$controller" /sys/fs/cgroup/cgroup.subtree_control || fail "no cgroup controller $controller"
done
for dir in /sys/kernel/debug /sys/kernel/tracing /dev/hugepages /dev/shm /dev/pts; do
	mountpoint -q "$dir" || fail "$dir is not mounted"
done
is "the file system of /var/lib/ultravisor" "$(stat -f -c %T /var/lib/ultravisor)" ext2/ext3
dd if=/dev/zero of=/var/lib/ultravisor/direct bs=4096 count=1 oflag=direct conv=fsync status=none

ip link add testbridge type bridge
ip tuntap add dev testtap mode tap
ip link set testtap master testbridge
nft add table inet testtable
modprobe -a dm_mod nbd
truncate -s 1M "$tmp/image"
loop=$(losetup -f --show "$tmp/image")
losetup -d "$loop"

# One stock Debian kernel as a guest of KVM, from its first line to the power button.
cat >"$tmp/init" <<'END'
grep -q hypervisor /proc/cpuinfo && echo "guest: on $(uname -r)"
mount -t ext4 /dev/vda /mnt && echo hello >/mnt/note && umount /mnt && echo "guest: ready"
END
"$repo/testhost/guest-initrd" "$tmp/initrd" --init "$tmp/init"
truncate -s 16M "$tmp/disk"
mkfs.ext4 -q "$tmp/disk"
mkfifo "$tmp/monitor"
timeout 60 qemu-system-x86_64 -accel kvm -cpu host -m 256M -nodefaults -display none -no-reboot \
	-kernel "$repo/build/kernels/6.1-cloud/vmlinuz" -initrd "$tmp/initrd" \
	-append "console=ttyS0 quiet panic=-1" -drive "file=$tmp/disk,format=raw,if=virtio" \
	-serial "file:$tmp/console" -monitor stdio <"$tmp/monitor" >/dev/null 2>"$tmp/qemu" &
pid=$!
exec 5>"$tmp/monitor"
within 40 grep -qs "guest: ready" "$tmp/console"
echo system_powerdown >&5
wait "$pid" || fail "QEMU ended with status $?: $(cat "$tmp/qemu")"
has "$tmp/console" 'guest: power button'
debugfs -R 'cat /note' "$tmp/disk" 2>/dev/null | grep -qx hello || fail "the guest's file is not on its disk"
