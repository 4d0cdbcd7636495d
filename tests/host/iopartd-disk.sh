#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest's disk has the queues and the serial number of its definition; limits hold over all queues, change while it runs and outlive a failover; it grows under its guest and is refused when its file has shrunk; a block device is written, flushed, discarded and grows likewise; another format comes by the kernel's NBD
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

rc() {
	local want=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/error" || status=$?
	((status == want)) || fail "$*: exit code $status, not $want: $(cat "$work/out" "$work/error")"
}
said() { grep -E -- "$1" "$work/error" >/dev/null || fail "not said: $1: $(cat "$work/error")"; }
serves() { cmdpartctl show disks --json | jq -r '.channels[] | select(.device == "root") | .servers[] | select(.state == "serving") | .name'; }
stands_by() { cmdpartctl show disks --json | jq -e '.channels[] | select(.device == "root") | .servers | any(.state == "standby")' >/dev/null; }

# It reads 256 KiB past its cache from each of four processes at once, and says when it begins and ends.
# shellcheck disable=SC2016 # the guest expands it
initrd 6.1-cloud 'cd /sys/block/vda
echo "guest: serial $(cat serial), queues $(ls mq | wc -l), sectors $(cat size)."
dd if=/dev/urandom of=/dev/vdb bs=1M count=8 conv=fsync 2>/dev/null || echo "guest: I/O ERROR"
sum=$(dd if=/dev/vdb bs=1M count=4 iflag=direct 2>/dev/null | sha256sum | cut -c1-64)
echo "guest: sum $sum."
dd if=/dev/urandom of=/dev/vdc bs=1M count=2 conv=fsync 2>/dev/null || echo "guest: I/O ERROR"
sum=$(dd if=/dev/vdc bs=1M count=2 iflag=direct 2>/dev/null | sha256sum | cut -c1-64)
echo "guest: format $sum."
blkdiscard -o 4194304 -l 4194304 /dev/vdb || echo "guest: I/O ERROR discard"
[ $(dd if=/dev/vdb bs=1M skip=4 count=4 iflag=direct 2>/dev/null | tr -d "\0" | wc -c) = 0 ] && echo "guest: discarded."
n=0
while :; do
	n=$((n + 1))
	begin=$(cut -d. -f1 /proc/uptime)
	for i in 0 1 2 3; do
		dd if=/dev/vda of=/dev/null bs=64k count=4 skip=$((n % 20 * 16 + i * 4)) iflag=direct 2>/dev/null || echo "guest: I/O ERROR" &
	done
	wait
	echo "guest: round $n took $(($(cut -d. -f1 /proc/uptime) - begin)) s, sectors $(cat size), $(cat /sys/block/vdb/size)."
	sleep 0.2
done'
truncate -s 32M "$work/disks.raw"
modprobe loop
truncate -s 16M "$work/data"
loop=$(losetup --find --show "$work/data")
later "losetup -d $loop"
modprobe nbd
qemu-img create -q -f qcow2 "$work/format.qcow2" 8M
qemu-nbd --format=qcow2 --cache=none --connect=/dev/nbd2 "$work/format.qcow2" &
later 'qemu-nbd --disconnect /dev/nbd2 >/dev/null'
connected() { [[ $(blockdev --getsize64 /dev/nbd2) == $((8 << 20)) ]]; }
within 20 connected
cat >"$work/disks.json" <<-END
{ "name": "disks", "cpus": { "count": 4 }, "memory": "256MiB",
  "boot": { "kernel": "6.1-cloud.vmlinuz", "initrd": "6.1-cloud.initrd", "cmdline": "console=ttyS0 quiet panic=-1" },
  "devices": [ { "type": "block", "name": "root", "path": "disks.raw", "queues": 4, "serial": "SN-0815",
                 "limits": { "bytes_per_s": "64MiB", "iops": 5000 } },
               { "type": "block", "name": "data", "path": "$loop" },
               { "type": "block", "name": "format", "path": "/dev/nbd2" },
               { "type": "console", "name": "console" } ] }
END
guests=(disks)
rc 0 cmdpartctl define "$work/disks.json"
rc 0 cmdpartctl start disks
within 60 console_has disks 'guest: serial SN-0815, queues 4, sectors 65536\.'
is "the device" "$(cmdpartctl show disks --json | jq -cS '.devices[] | select(.name == "root") | [.queues, .serial, .limits, .size]')" \
	'[4,"SN-0815",{"burst_ms":100,"bytes_per_s":"64MiB","iops":5000},33554432]'
within 30 stands_by

round() { console disks | sed -n 's/.*guest: round \([0-9]*\) took.*/\1/p' | tail -n 1; }
# The round behind the next one is of the new limits alone. 1 MiB at 256 KiB/s: 4 s, less what is counted in whole seconds.
slow() {
	local n
	n=$(round)
	further() { (($(round) > n + 1)); }
	within 40 further
	console disks | sed -n "s/.*guest: round $((n + 2)) took \([0-9]*\) s.*/\1/p"
}
rc 0 cmdpartctl set disks root.limits.bytes_per_s=256KiB
took=$(slow)
((took >= 3)) || fail "1 MiB at 256 KiB/s took $took s"
before=$(serves)
rc 0 cmdpartctl io failover disks root
other() { [[ $(serves) && $(serves) != "$before" ]]; }
within 20 other
took=$(slow)
((took >= 3)) || fail "1 MiB at 256 KiB/s took $took s after a failover"
rc 0 cmdpartctl set disks root.limits=none
last=$(round)
faster() { (($(round) > last + 3)); }
within 20 faster
rc 2 cmdpartctl set disks root.limits.packets_per_s=3
said 'packets_per_s'
rc 2 cmdpartctl set disks root.limits.burst_ms=3
said 'there is no limit to exceed'
rc 3 cmdpartctl set disks disk9.limits.iops=3
rc 2 cmdpartctl set disks console.limits.iops=3

truncate -s 48M "$work/disks.raw"
rc 0 cmdpartctl io resize disks root
within 20 console_has disks 'sectors 98304, 32768\.'
truncate -s 24M "$work/data"
losetup -c "$loop"
rc 0 cmdpartctl io resize disks data
within 20 console_has disks 'sectors 98304, 49152\.'
truncate -s 40M "$work/disks.raw"
rc 4 cmdpartctl io resize disks root
said 'has 40 ?MiB now, its guest was told of 48 ?MiB'
truncate -s 48M "$work/disks.raw"
rc 0 cmdpartctl io resize disks root
rc 4 cmdpartctl io resize disks console
rc 0 cmdpartctl verify
console_has disks 'guest: discarded\.' || fail "not discarded"
(($(stat -c %b "$work/data") * 512 < 6 << 20)) || fail "the discarded part is still there"
is "what was flushed" "$(head -c 4M "$work/data" | sha256sum | cut -c1-64)" "$(console disks | sed -n 's/.*guest: sum \(.*\)\..*/\1/p')"
console disks >"$work/console"
if console_has disks 'I/O ERROR'; then fail "the guest saw an error"; fi
rc 0 cmdpartctl kill disks
within 10 state_is disks defined
qemu-nbd --disconnect /dev/nbd2 >/dev/null
is "what is in the other format" "$(qemu-img dd -f qcow2 -O raw bs=1M count=2 if="$work/format.qcow2" of="$work/format.raw" && sha256sum <"$work/format.raw" | cut -c1-64)" \
	"$(sed -n 's/.*guest: format \(.*\)\..*/\1/p' "$work/console")"
