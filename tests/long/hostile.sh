#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest whose drivers break every rule of virtio has its devices reset, and can use them afterwards; logs and its console say which rule; its neighbour on the same I/O partitions and the daemons notice nothing
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 14400
#
# SEED, ROUNDS (of random values, 20000) and LIMIT (seconds for all of it, 3600) may be set.
source "$(dirname "$0")/../host/lib/guest.bash"

seed=${SEED:-$((RANDOM * 32768 + RANDOM))} rounds=${ROUNDS:-20000}
echo "seed $seed, $rounds rounds"

initrd 6.1-cloud 'mount -t ext4 /dev/vda /mnt; echo "guest: ready"
( n=0; while :; do n=$((n + 1))
	dd if=/dev/urandom of=/tmp/new bs=64k count=4 2>/dev/null
	sum=$(sha256sum </tmp/new)
	dd if=/tmp/new of=/mnt/new bs=64k conv=fsync 2>/dev/null || echo "guest: I/O ERROR"
	echo 1 >/proc/sys/vm/drop_caches
	[ "$(sha256sum </mnt/new)" = "$sum" ] || echo "guest: I/O ERROR"
	echo "guest: wrote $n"
done ) &'

printf '%s\n' "seed=$seed rounds=$rounds" >"$work/hostile.init"
cat >>"$work/hostile.init" <<'END'
dmesg -n 1
attack() { # NAME QUEUE: takes the device from its driver, and gives it back
	echo "guest: attacks $1"
	echo "$1" >/sys/bus/pci/drivers/virtio-pci/unbind
	hostile "$1" "$2" $seed $rounds || echo "guest: hostile ended with status $?"
	echo "$1" >/sys/bus/pci/drivers/virtio-pci/bind
}
disk_works() {
	n=0
	until [ -b /dev/vda ] || [ $((n += 1)) = 100 ]; do sleep 0.1; done
	dd if=/dev/urandom of=/tmp/f bs=64k count=16 2>/dev/null
	dd if=/tmp/f of=/dev/vda bs=64k conv=fsync 2>/dev/null || return 1
	echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/vda bs=64k count=16 2>/dev/null | cmp - /tmp/f
}
network_works() {
	n=0
	until [ -e /sys/class/net/eth0 ] || [ $((n += 1)) = 100 ]; do sleep 0.1; done
	ip address add 10.77.0.9/24 dev eth0 && ip link set eth0 up || return 1
	n=0
	until ping -c 1 -W 2 10.77.0.1 >/dev/null; do [ $((n += 1)) != 10 ] || return 1; done
}
for device in /sys/bus/pci/devices/*; do
	name=$(basename "$device")
	case $(cat "$device/device") in
	0x1042) attack "$name" 0; disk_works && echo "guest: the disk works" ;;
	0x1041) attack "$name" 1; network_works && echo "guest: the network works" ;;
	esac
done
echo "guest: over"
END
"$repository/testhost/guest-initrd" "$work/hostile.initrd" --kernel 6.1-cloud --init "$work/hostile.init" \
	--file "$repository/build/tests/guest/hostile:bin/hostile" >/dev/null
cp "$work/6.1-cloud.vmlinuz" "$work/hostile.vmlinuz"

disk neighbour 64M
disk hostile 64M
definition neighbour 6.1-cloud 1 192MiB disk console
definition hostile hostile 1 192MiB disk net console
cmdpartctl define "$work/neighbour.json"
cmdpartctl start neighbour
within 60 console_has neighbour "guest: wrote 1"

pids() { pgrep -f '^([^ ]*/)?(uvd|cmdpartd|opsd|iopartd)( |$)' | sort; }
before=$(pids)
[[ $before ]] || fail "no daemons are found"
wrote() { console neighbour | sed -n 's/.*guest: wrote \([0-9]*\).*/\1/p' | tail -n 1; }
first=$(wrote)
lines() { cat /run/log/ultravisor/*.log | grep -c "driver" || true; }
lines=$(lines)

cmdpartctl define "$work/hostile.json"
cmdpartctl start hostile
bridge_up
within "${LIMIT:-3600}" console_has hostile "guest: over"
console hostile >"$work/console"
grep -E "hostile:|guest:" "$work/console"

[[ $(pids) == "$before" ]] || fail "a daemon has another process id than before"
state_is hostile running || fail "the hostile guest is not running"
last=$(wrote)
((last > first)) || fail "the neighbour has stood still: $first, $last"
within 30 eval "((\$(wrote) > $last))"
console_has neighbour "I/O ERROR" && fail "the neighbour had an I/O error"
(($(grep -c "all as they should be" "$work/console") == 2)) || fail "a step did not end as it should"
grep -q "the disk works" "$work/console" || fail "the disk does not work afterwards"
grep -q "the network works" "$work/console" || fail "the network does not work afterwards"

# What broke, in the logs of uvmonitor and of the I/O partition, and for the guest's owner.
said() { grep -h -- "$1" /run/log/ultravisor/*.log >/dev/null || fail "no log says: $1"; }
said "sets a queue size that is no power of two or too large"
said "enables a queue that is not aligned or not in memory"
said "accepts features that were not offered"
said "sets DRIVER_OK before FEATURES_OK"
said "changes a queue that is in use"
while read -r rule; do said "driver is at fault: $rule"; done <<'END'
the available index moved by more
an available entry is no descriptor
a chain leaves its descriptor table
a chain is longer than its table: a loop
an indirect table of impossible length
an indirect table outside the guest
an indirect table that does not end its chain
an indirect table within an indirect table
an indirect table, which was not negotiated
a buffer is outside the guest
a readable buffer follows a writable one
a request without header or status
a descriptor is available again before it was used
END
grep -q "\[ultravisor: device root: its driver sets a queue size" "$work/console" || fail "the console log does not say which rule"
grep -q "\[ultravisor: device root: its driver is at fault, its server says: the available index" "$work/console" ||
	fail "the console log does not say what the server found"
lines=$(($(lines) - lines))
((lines < 200)) || fail "a guest filled the log: $lines lines"
cmdpartctl stop hostile --timeout 30
