#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the host is suspended to memory under guests that run: that time counts for a lease, past whose end no guest is entered; budgets, windows and longer leases go on
# where: host
# timeout: 240
. "$(dirname "$0")/lib.sh"

# The test host's root is on 9p, which does not survive the suspend of its device. This host is an
# initrd alone: the same kernel, KVM, the module, one program.
program=$repo/build/tests/host/kmod/suspend
kernel=$("$repo/scripts/kernel" 6.1)
cat >"$tmp/init" <<'END'
mount -t tracefs trace /sys/kernel/tracing
insmod /ultravisor.ko || exit
suspend
echo "suspend: status $?"
poweroff -f
END
files=(--file "$repo/build/kmod/6.1/ultravisor.ko:/ultravisor.ko" --file "$program:/bin/suspend")
for library in $(ldd "$program" | grep -o '/[^ ]*'); do
	files+=(--file "$library:$library")
done
"$repo/testhost/guest-initrd" "$tmp/initrd" --kernel 6.1 --init "$tmp/init" --module kvm_amd "${files[@]}"

# A compressed kernel on the older machine: Linux does not wake up where it was entered by PVH, and
# QEMU's q35 wakes up once. Nothing there wakes a host from s2idle.
khz=$(awk '/^bogomips/ { printf "%d", $3 * 500; exit }' /proc/cpuinfo)
timeout 200 qemu-system-x86_64 -machine pc -accel tcg -cpu EPYC,+svm,+npt,-cx16 -smp 1 -m 768M \
	-nodefaults -no-user-config -display none -no-reboot -serial "file:$tmp/console" \
	-kernel "$kernel/vmlinuz" -initrd "$tmp/initrd" -append "console=ttyS0 loglevel=6 panic=-1 \
	oops=panic tsc=reliable mitigations=off mem_sleep_default=deep no_console_suspend \
	tsc_early_khz=$khz lpj=$((khz * 1000 / 250))" 2>"$tmp/qemu" ||
	fail "the host did not end: $(tail -n 30 "$tmp/qemu" "$tmp/console")"
grep -aE '^(ok|FAILED|[^ ]*\.c:[0-9]+:) ' "$tmp/console" || true
grep -aE 'suspend: status 0' "$tmp/console" >/dev/null || fail "$(tail -n 40 "$tmp/console")"
! grep -aE 'WARNING: |BUG: |Oops|Call Trace' "$tmp/console" || fail "the kernel complained"
