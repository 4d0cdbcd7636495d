# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lone.bash: a host of its own for one program of tests/host/kmod: an initrd alone, with the test host's
# kernel, KVM and the module, but none of its devices. Sourced after lib.sh.

# lone_host PROGRAM [APPEND [QEMU...]]: run it there, with that added to the kernel's command line and
# to QEMU's; prints what it prints of its tests, and fails if one of them fails or the kernel complains.
lone_host() {
	local program=$repo/build/tests/host/kmod/$1 append=${2-} kernel khz library files
	shift $(($# < 2 ? $# : 2))
	kernel=$("$repo/scripts/kernel" 6.1)
	cat >"$tmp/init" <<-END
		mount -t tracefs trace /sys/kernel/tracing
		mount -t cgroup2 cgroup /sys/fs/cgroup
		insmod /ultravisor.ko && ${program##*/}
		echo "lone: status \$?"
		poweroff -f
	END
	files=(--file "$repo/build/kmod/6.1/ultravisor.ko:/ultravisor.ko" --file "$program:/bin/${program##*/}")
	for library in $(ldd "$program" | grep -o '/[^ ]*'); do
		files+=(--file "$library:$library")
	done
	"$repo/testhost/guest-initrd" "$tmp/initrd" --kernel 6.1 --init "$tmp/init" --module kvm_amd \
		"${files[@]}"

	khz=$(awk '/^bogomips/ { printf "%d", $3 * 500; exit }' /proc/cpuinfo)
	append+=" console=ttyS0 loglevel=6 panic=-1 oops=panic tsc=reliable mitigations=off"
	append+=" no_console_suspend tsc_early_khz=$khz lpj=$((khz * 1000 / 250))"
	# A compressed kernel on the older machine: Linux does not wake up from a suspend where it was
	# entered by PVH, and QEMU's q35 wakes up once.
	timeout 200 qemu-system-x86_64 -machine pc -accel tcg -cpu EPYC,+svm,+npt,-cx16 -m 768M \
		-nodefaults -no-user-config -display none -no-reboot -serial "file:$tmp/console" \
		-kernel "$kernel/vmlinuz" -initrd "$tmp/initrd" -append "$append" "$@" 2>"$tmp/qemu" ||
		fail "the host did not end: $(tail -n 30 "$tmp/qemu" "$tmp/console")"
	grep -aE '^(ok|FAILED|[^ ]*\.c:[0-9]+:) ' "$tmp/console" || true
	grep -aE '^lone: status 0' "$tmp/console" >/dev/null || fail "$(tail -n 40 "$tmp/console")"
	! grep -aE 'WARNING: |BUG: |Oops|Call Trace' "$tmp/console" || fail "the kernel complained"
}
