#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a triple fault, a file that is no kernel, and memory that is too small each end uvmonitor with a reason that uvd can read
# where: appliance
# appliance: --no-daemons
# timeout: 120
. "$(dirname "$0")/lib/monitor.bash"

cmdline="console=ttyS0 quiet panic=-1"
initrd 6.1-cloud 'echo "guest: falls"; reboot -f'
image=$(kernel 6.1-cloud)

launch 1 "$image" "$cmdline reboot=t" --vcpus 2 --initrd "$tmp/initrd"
is "state after a triple fault" "$(value state)" 4
has "$tmp/log" "reason=triple fault on vCPU"

# refused REASON KERNEL OPTION...
refused() {
	local reason=$1 file=$2
	shift 2
	launch 1 "$file" "$cmdline" "$@"
	is "state of a refused start ($reason)" "$(value state)" 4
	has "$tmp/log" "reason=$reason"
}

refused "the kernel is not a bzImage" /bin/true
head -c 4000000 "$image" >"$tmp/short"
refused "the kernel file is cut short" "$tmp/short"
: >"$tmp/empty"
refused "the kernel is not a bzImage: the file has only 0 bytes" "$tmp/empty"
refused "the initrd is empty" "$image" --initrd "$tmp/empty"
refused "the memory is too small for the kernel" "$image" --memory 24
truncate -s 300M "$tmp/large"
refused "the initrd is too large for the memory" "$image" --initrd "$tmp/large"
launch 1 "$image" "$(printf 'x%.0s' {1..3000})"
has "$tmp/log" "reason=the kernel's command line has 3000 characters; this kernel takes 2047"

# Killed: the channel's memory still says what it last said.
launch 137 "$image" "$cmdline reboot=p" --initrd "$tmp/initrd" --kill "guest: falls"
is "state after a kill" "$(value state)" 2
