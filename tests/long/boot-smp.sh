#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: guests with two vCPUs boot and power off again and again; one that hangs is looked at, and compared with QEMU's under the same load
# where: appliance
# appliance: --no-daemons --cpus 4 --memory 3G
# timeout: 14400
#
# How many of each: BOOTS (400). Three guests boot at a time, every fourth of them under QEMU with
# KVM and the same kernel and initrd: a hang that both have is not this project's. What is known of a
# hang goes to $APPLIANCE_OUT/hung.N: the module's counters, kernel stacks, KVM's counters and its
# trace, and whether a signal to the vCPU threads, which makes KVM look at everything anew, gets
# the guest going.
. "$(dirname "$0")/../host/lib/monitor.bash"

boots=${BOOTS:-400} limit=${LIMIT:-240}
out=${APPLIANCE_OUT:-$tmp}
trace=/sys/kernel/tracing
kernel=6.1-cloud
cmdline="console=ttyS0 quiet panic=-1"
initrd "$kernel" 'echo "guest: $(grep -c ^processor /proc/cpuinfo) processors"; sleep 1; echo "guest: ready"'
mount -t tracefs trace $trace 2>/dev/null || true
mount -t debugfs debug /sys/kernel/debug 2>/dev/null || true
grep -qs "^kvm:kvm_entry" $trace/available_events || echo "no trace of KVM here"

cat >"$tmp/look" <<'END'
#!/bin/bash
# look PID: what a process with vCPUs is at, then a nudge for its threads
trace=/sys/kernel/tracing
state() {
	local t f
	for t in /proc/"$1"/task/*; do
		echo "== $(basename "$t") $(cat "$t/comm") $(grep -E '^(State|SigPnd|ShdPnd)' "$t/status" | tr '\n' ' ')"
		cat "$t/stack"
	done
	for f in /sys/kernel/debug/kvm/"$1"-*/vcpu*; do
		echo "== $f"
		grep -H . "$f"/{halt_exits,halt_wakeup,irq_exits,irq_injections,req_event,signal_exits,blocking} 2>/dev/null |
			sed 's/.*\///'
	done
}
traced() {
	echo >$trace/trace
	echo 1 >$trace/events/kvm/enable
	sleep 2
	echo 0 >$trace/events/kvm/enable
	echo "== trace of KVM: $(grep -vc '^#' $trace/trace) events"
	grep -v '^#' $trace/trace | awk -v p="$1" '1' | tail -n 120
}
state "$1"
traced "$1"
echo "== nudge"
for t in /proc/"$1"/task/*; do kill -USR1 "$(basename "$t")" 2>/dev/null; break; done
for t in /proc/"$1"/task/*; do python3 - "$1" "$(basename "$t")" <<'P'
import ctypes, sys
ctypes.CDLL(None).syscall(234, int(sys.argv[1]), int(sys.argv[2]), 10)
P
done
traced "$1"
state "$1"
END
sed -i '/^for t in .*kill -USR1/d' "$tmp/look"
chmod 755 "$tmp/look"

# one N: boots guest N; status 0 if it came up and went
one() {
	local log=$tmp/$1.log console=$tmp/$1.console pid i
	if (($1 % 4)); then
		"$repo/build/tests/host/monitor/launch" --vcpus 2 --memory 192 --initrd "$tmp/initrd" \
			--press "guest: ready" --timeout "$limit" --hung "$tmp/look" \
			"$(kernel $kernel)" "$cmdline" >"$console" 2>"$log" </dev/null &&
			! grep -q "no end within" "$log"
		return
	fi
	qemu-system-x86_64 -accel kvm -cpu host -M pc -smp 2 -m 192 -display none -nodefaults \
		-no-reboot -serial "file:$console" -kernel "$(kernel $kernel)" -initrd "$tmp/initrd" \
		-append "$cmdline" >"$log" 2>&1 </dev/null &
	pid=$!
	for ((i = 0; i < limit * 2; i++)); do
		if grep -q "guest: ready" "$console" 2>/dev/null; then
			kill $pid
			wait $pid || true
			return 0
		fi
		sleep 0.5
	done
	"$tmp/look" $pid >>"$log" 2>&1 || true
	sleep 20
	grep "guest: ready" "$console" && echo "it goes on" >>"$log"
	kill -KILL $pid
	wait $pid || true
	return 1
}

ours=0 peers=0 ours_hung=0 peers_hung=0 next=0
declare -A running=()
while ((next < boots || ${#running[@]})); do
	while ((next < boots && ${#running[@]} < 3)); do
		one $next &
		running[$!]=$next
		next=$((next + 1))
	done
	status=0
	wait -n -p ended || status=$?
	n=${running[$ended]}
	unset "running[$ended]"
	if ((n % 4)); then ours=$((ours + 1)); else peers=$((peers + 1)); fi
	if ((status)); then
		if ((n % 4)); then ours_hung=$((ours_hung + 1)); else peers_hung=$((peers_hung + 1)); fi
		cat "$tmp/$n.log" "$tmp/$n.console" >"$out/hung.$n"
		printf 'guest %d (%s): did not come up and go\n' "$n" "$( ((n % 4)) && echo ours || echo "QEMU's")"
	fi
	rm -f "$tmp/$n.log" "$tmp/$n.console"
	((next % 20)) || printf 'ours: %d boots, %d hung; QEMU: %d boots, %d hung\n' $ours $ours_hung $peers $peers_hung
done
printf 'ours: %d boots, %d hung; QEMU: %d boots, %d hung\n' $ours $ours_hung $peers $peers_hung
((ours_hung == 0))
