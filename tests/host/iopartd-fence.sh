#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: an I/O partition is killed while a disk holds its write back for five seconds: the standby submits nothing before that write is over, on a block device (by whatever node), on a file and over NBD; a build without the fence does, and the guest's newer data is lost
# where: host
# timeout: 300
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib/weaken.bash"

weaken_copy "$repo/build/unprotected-fence" Makefile scripts common include libchannel iopartd uvd
mkdir -p "$work/build"
cp -a "$repo/build/obj" "$repo"/build/*.a "$work/build/"
weaken iopartd/fence.c 'flock(f->fd, LOCK_EX | LOCK_NB)' '0 * flock(f->fd, LOCK_UN)'
weaken uvd/nbd.c '} else if (connections) {' '} else if (connections > 99) {'
make -j2 -C "$work" build/bin/iopartd build/bin/uvd >"$tmp/build.log" 2>&1 ||
	{ tail -n 20 "$tmp/build.log" && fail "the unprotected programs do not build"; }

# Inside the test host, with two disks that each hold their guest's first write back: disks of the
# kernel's NBD, one of them with a file system and an image on it. The server of both is killed
# meanwhile. The guest writes MARK, and when that is complete SECOND to the same place.
mkdir "$tmp/out"
cat >"$tmp/out/fence" <<'END'
set -euo pipefail
repository=$PWD unprotected=$1
source tests/host/lib/guest.bash
pid_of() { pgrep -o -f "^([^ ]*/)?iopartd --instance $1"; }
replaced() { local now; now=$(pid_of "$1") && [[ $now != "$2" ]]; }
serves() { cmdpartctl show fence --json | jq -r ".channels[] | select(.device == \"$1\") | .servers[] | select(.state == \"serving\") | .name"; }
stands_by() { cmdpartctl show fence --json | jq -e ".channels[] | select(.device == \"$1\") | .servers | any(.state == \"standby\")" >/dev/null; }
logged() { grep " $2 " "$work/log$1" >/dev/null; }

modprobe nbd
initrd 6.1-cloud 'for t in MARK SECOND; do printf $t | dd of=/$t bs=4096 conv=sync 2>/dev/null; done
read -r go </dev/ttyS0
for d in vda vdb vdc; do
	(for t in MARK SECOND; do dd if=/$t of=/dev/$d bs=4096 seek=100 oflag=direct 2>/dev/null || echo "guest: I/O ERROR"; done
	echo "guest: $d is done.") &
done
wait'

# Who is to be killed serves until it is.
fail_back 0

# attempt NAME: prints what the disks hold at the end, and when
attempt() {
	local i disks=() server
	rm -f "$work/socket"
	for i in /dev/nbd0 /dev/nbd1 "$work/socket"; do
		"$repository/build/tests/host/iopartd/slowdisk" "$i" 24 MARK 5 "$work/log${#disks[@]}" &
		disks+=($!)
	done
	size_is() { [[ $(blockdev --getsize64 /dev/nbd1) == $((24 << 20)) && $(blockdev --getsize64 /dev/nbd0) == $((24 << 20)) ]]; }
	within 10 size_is
	mkfs.ext4 -q -F /dev/nbd1
	rm -f "$work/node" && mknod "$work/node" b 43 0
	mkdir -p "$work/mnt"
	mount /dev/nbd1 "$work/mnt"
	dd if=/dev/zero of="$work/mnt/image" bs=1M count=8 2>/dev/null && sync
	cat >"$work/fence.json" <<-JSON
	{ "name": "fence", "cpus": { "count": 1 }, "memory": "128MiB",
	  "boot": { "kernel": "6.1-cloud.vmlinuz", "initrd": "6.1-cloud.initrd", "cmdline": "console=ttyS0 quiet panic=-1" },
	  "devices": [ { "type": "block", "name": "device", "path": "node" }, { "type": "console", "name": "console" },
	               { "type": "block", "name": "file", "path": "mnt/image" },
	               { "type": "block", "name": "remote", "path": "socket" } ] }
	JSON
	guests=(fence)
	cmdpartctl define "$work/fence.json" >&2
	cmdpartctl start fence >&2
	for i in device file remote; do within 30 stands_by $i; done
	server=$(serves device)
	is "who serves the other disk" "$(serves file)" "$server"
	[[ $(serves remote) == "$server" ]] || cmdpartctl io failover fence remote >&2
	for i in device file remote; do within 30 stands_by $i; done
	is "who serves the third disk" "$(serves remote)" "$server"
	# The standby gets the device by another node: a lock of one is none of the other.
	mv "$work/node" "$work/was" && mknod "$work/node" b 43 0
	flock -n "$work/was" flock -n "$work/node" true || fail "locks of two nodes exclude each other"
	for i in a b; do [[ io-$i == "$server" ]] || { old=$(pid_of $i) && kill -KILL "$old" && within 20 replaced $i "$old"; }; done
	for i in device file remote; do within 30 stands_by $i; done
	timeout 60 bash -c 'until printf "go\n" | timeout 5 cmdpartctl console fence >/dev/null 2>&1; grep -q " hold " "$1"; do sleep 0.2; done' go "$work/log0"
	within 20 logged 0 hold
	within 20 logged 1 hold
	within 20 logged 2 hold
	kill -KILL "$(pid_of "${server#io-}")"
	for i in vda vdb vdc; do within 40 console_has fence "guest: $i is done"; done
	for i in 0 1 2; do within 20 logged $i done; done
	if console_has fence 'I/O ERROR'; then fail "the guest saw an error"; fi
	cmdpartctl kill fence >&2
	within 10 state_is fence defined
	cmdpartctl undefine fence >&2
	# What the disks hold, and what came for that place while the write was held.
	echo "$1 device: $(dd if=/dev/nbd0 bs=4096 skip=100 count=1 iflag=direct 2>/dev/null | tr -d '\0')" \
		"$(awk '$2 == "hold" { at = $3 } $2 == "done" { exit } at && $2 == "write" && $3 == at { n++ } END { print n + 0 }' "$work/log0")"
	echo "$1 file: $(dd if="$work/mnt/image" bs=4096 skip=100 count=1 iflag=direct 2>/dev/null | tr -d '\0')" \
		"$(awk '$2 == "hold" { at = $3 } $2 == "done" { exit } at && $2 == "write" && $3 == at { n++ } END { print n + 0 }' "$work/log1")"
	qemu-img convert -f raw -O raw "nbd+unix:///?socket=$work/socket" "$work/whole"
	echo "$1 remote: $(dd if="$work/whole" bs=4096 skip=100 count=1 2>/dev/null | tr -d '\0')" \
		"$(awk '$2 == "hold" { at = $3 } $2 == "done" { exit } at && $2 == "write" && $3 == at { n++ } END { print n + 0 }' "$work/log2")"
	umount "$work/mnt"
	kill "${disks[@]}"
	wait "${disks[@]}" || true
}
# Each of the daemons as that build has it, or as it is.
again() {
	local i old
	for i in 'iopartd --instance a' 'iopartd --instance b' uvd; do
		old=$(pgrep -o -f "^([^ ]*/)?$i") && kill -KILL "$old"
		another() { local now; now=$(pgrep -o -f "^([^ ]*/)?$i") && [[ $now != "$old" ]]; }
		within 20 another
	done
	within 30 cmdpartctl list
}
for i in iopartd uvd; do mount --bind "$unprotected/$i" build/bin/$i; done
again
attempt unprotected
umount -l build/bin/iopartd build/bin/uvd
again
attempt protected
for i in a b; do grep -h 'waited .* ms for its fence' /run/log/ultravisor/iopartd-$i.log | tail -n 2 || true; done
END
cd "$repo"
APPLIANCE_OUT=$tmp/out scripts/appliance --cpus 4 --memory 3G --timeout 240 -- \
	bash "$tmp/out/fence" "$work/build/bin" </dev/null >"$tmp/said" || { cat "$tmp/said"; fail "the test host failed"; }
cat "$tmp/said"
has "$tmp/said" "^unprotected device: MARK [1-9]"
has "$tmp/said" "^unprotected file: MARK [1-9]"
has "$tmp/said" "^unprotected remote: MARK [1-9]"
has "$tmp/said" "^protected remote: SECOND 0$"
has "$tmp/said" "^protected device: SECOND 0$"
has "$tmp/said" "^protected file: SECOND 0$"
