#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a running uvmonitor is not root, has no capability and no KVM descriptor, can gain nothing, and all its threads are under its filter of system calls
# where: appliance
# appliance: --no-daemons
# timeout: 60
. "$(dirname "$0")/lib/monitor.bash"

initrd 6.1-cloud 'echo "guest: ready"'
"$repo/build/tests/host/monitor/launch" --vcpus 2 --disk --initrd "$tmp/initrd" --timeout 40 \
	"$(kernel 6.1-cloud)" "console=ttyS0 quiet" >"$tmp/console" 2>"$tmp/log" &
launcher=$!
within 30 grep -q "guest: ready" "$tmp/console"
pid=$(pgrep -x -P "$launcher" uvmonitor)
later "kill -9 $pid 2>/dev/null; wait $launcher"

is "user" "$(awk '/^Uid/ { print $2, $3, $4, $5 }' "/proc/$pid/status" | tr ' ' '\n' | sort -u)" \
	"$(id -u ultravisor-monitor)"
is "groups" "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status")" ""
threads=0
for task in "/proc/$pid/task"/*; do
	threads=$((threads + 1))
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		is "$set" "$(sed -n "s/^$set:[[:space:]]*//p" "$task/status")" 0000000000000000
	done
	is "NoNewPrivs" "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' "$task/status")" 1
	is "Seccomp" "$(sed -n 's/^Seccomp:[[:space:]]*//p' "$task/status")" 2
done
is "threads" "$threads" 3
for fd in "/proc/$pid/fd"/*; do
	readlink "$fd" || true
done | sort | uniq -c >"$tmp/fds"
cat "$tmp/fds"
! grep -iq kvm "$tmp/fds" || fail "it holds a KVM descriptor"
pss=$(awk '
	/^[0-9a-f]+-[0-9a-f]+ / { guest = /memfd:guest/ }
	/^Pss:/ && !guest { sum += $2 }
	END { print sum }' "/proc/$pid/smaps")
echo "memory beside the guest's: $pss KiB"
[ "$pss" -le 2048 ] || fail "$pss KiB are more than 2 MiB"
