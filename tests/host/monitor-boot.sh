#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: Debian's own kernels, a cloud one and a stock one, boot under uvmonitor with both processors, and power off cleanly at the power button
# where: appliance
# appliance: --no-daemons --cpus 4
# timeout: 240
. "$(dirname "$0")/lib/monitor.bash"

# shellcheck disable=SC2016 # for the guest's shell
script='echo "guest: $(uname -r), $(grep -c ^processor /proc/cpuinfo) processors"
echo "guest: clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo "guest: year $(date -u +%Y)"
echo "guest: memory $(grep MemTotal /proc/meminfo)"
dmesg | grep -iE "acpi.*(error|warning)|bios bug|firmware bug" && echo "guest: ACPI is not happy"
echo "guest: ready"'

for version in 6.1-cloud 6.12; do
	initrd "$version" "$script"
	launch 0 "$(kernel "$version")" "console=ttyS0 quiet panic=-1" \
		--vcpus 2 --initrd "$tmp/initrd" --press "guest: ready"
	has "$tmp/console" "guest: ${version%-*}.*, 2 processors"
	has "$tmp/console" "guest: clock kvm-clock"
	has "$tmp/console" "guest: year $(date -u +%Y)"
	! grep -q "guest: ACPI is not happy" "$tmp/console" || fail "$version: $(grep ACPI "$tmp/console")"
	has "$tmp/console" "guest: power button"
	is "$version: state" "$(value state)" 3
	echo "$version: first instruction after $(value start_us) us"
done

# By hand, without a console channel.
launch 1 "$(kernel 6.12)" "console=ttyS0 quiet panic=-1 reboot=t" --stdout
has "$tmp/console" "Kernel panic - not syncing: VFS"

# A second block, above the hole. (A kernel with memory there sets 64 MiB aside for DMA below.)
launch 0 "$(kernel 6.12)" "console=ttyS0 quiet panic=-1" \
	--vcpus 3 --memory 192 --high 128 --initrd "$tmp/initrd" --press "guest: ready"
has "$tmp/console" "guest: 6.12.*, 3 processors"
kib=$(sed -n 's/.*MemTotal: *\([0-9]*\) kB.*/\1/p' "$tmp/console")
[ "$kib" -gt $((192 * 1024)) ] || fail "the guest has $kib KiB of 320 MiB"
