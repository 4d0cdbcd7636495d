#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: Debian's virtio drivers find a disk, its requests cause no exit to uvmonitor, and a guest that resets itself finds disk and processors again
# where: appliance
# appliance: --no-daemons --cpus 4
# timeout: 180
. "$(dirname "$0")/lib/monitor.bash"

cmdline="console=ttyS0 quiet panic=-1"
# shellcheck disable=SC2016 # for the guest's shell
script='dd if=/dev/vda bs=512 skip=$((0x345)) count=1 2>/dev/null | hexdump -n 4 -e "1/4 \"guest: sector %x\n\""
if grep -q many /proc/cmdline; then
	i=1000
	while [ $i -lt 1200 ]; do
		dd if=/dev/zero of=/dev/vda bs=512 seek=$i count=1 conv=notrunc,fsync 2>/dev/null
		i=$((i + 1))
	done
fi
echo "guest: interrupts $(grep -c virtio0-req /proc/interrupts)"
mark=$(dd if=/dev/vda bs=512 skip=7 count=1 2>/dev/null | head -c 4)
echo "guest: mark $mark, $(grep -c ^processor /proc/cpuinfo) processors"
if grep -q reboot=yes /proc/cmdline && [ "$mark" != BEEN ]; then
	printf BEEN | dd of=/dev/vda bs=512 seek=7 conv=notrunc,fsync 2>/dev/null
	reboot -f
fi
echo "guest: ready"'

for version in 6.1-cloud 6.12-cloud; do
	initrd "$version" "$script"
	launch 0 "$(kernel "$version")" "$cmdline" --disk --initrd "$tmp/initrd" --press "guest: ready"
	has "$tmp/console" "guest: sector 345"
	has "$tmp/console" "guest: interrupts 1"
	few=$(value exits) few_requests=$(value requests)

	launch 0 "$(kernel "$version")" "$cmdline many" --disk --initrd "$tmp/initrd" --press "guest: ready"
	requests=$(($(value requests) - few_requests))
	exits=$(($(value exits) - few))
	[ "$requests" -ge 200 ] || fail "only $requests requests more"
	[ "$exits" -lt $((requests / 2)) ] || fail "$exits exits more for $requests requests"
	echo "$version: $requests requests, $exits exits"

	launch 0 "$(kernel "$version")" "$cmdline reboot=yes" --vcpus 2 --disk --initrd "$tmp/initrd" \
		--press "guest: ready"
	is "$version: reboots" "$(value reboots)" 1
	is "$version: state" "$(value state)" 3
	is "$version: starts" "$(grep -c 'guest: mark.*, 2 processors' "$tmp/console")" 2
	has "$tmp/console" "guest: mark BEEN"
done
