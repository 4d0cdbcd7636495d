#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: uvd, cmdpartd, opsd and each iopartd are killed while a guest computes and writes; it goes on without an I/O error, and within 2 s of the restart list, console and stop work
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 300
source "$(dirname "$0")/lib/guest.bash"

# Writes files for ever, each under its own checksum as name, keeps sixteen, and says every number.
initrd 6.1-cloud 'mount -t ext4 /dev/vda /mnt
echo "guest: begins"
( n=0; while :; do n=$((n + 1))
	dd if=/dev/urandom of=/mnt/new bs=64k count=8 conv=fsync 2>/dev/null || echo "guest: I/O ERROR"
	mv /mnt/new "/mnt/$(sha256sum /mnt/new | cut -c1-64)" && sync || echo "guest: I/O ERROR"
	ls -t /mnt | grep -E "^.{64}$" | tail -n +17 | while read -r old; do rm "/mnt/$old"; done
	echo "guest: wrote $n"
done ) &'
disk writer 96M
definition writer 6.1-cloud 1 256MiB disk console
cmdpartctl define "$work/writer.json"
cmdpartctl start writer
within 60 console_has writer "guest: wrote 2"

last() { console writer | sed -n 's/.*guest: wrote \([0-9]*\).*/\1/p' | tail -n 1; }
advanced() { (($(last) > $1)); }
pid_of() { pgrep -o -f "^([^ ]*/)?$1"; }
replaced() { local now; now=$(pid_of "$1") && [[ $now != "$2" ]]; }

for daemon in uvd cmdpartd opsd 'iopartd --instance a' 'iopartd --instance b' 'iopartd --instance a'; do
	before=$(last) old=$(pid_of "$daemon")
	kill -KILL "$old"
	within 5 replaced "$daemon" "$old"
	begin=${EPOCHREALTIME/./}
	within 10 cmdpartctl list
	within 10 console_has writer "guest: wrote"
	printf '%s: list and console after %d ms\n' "$daemon" $(((${EPOCHREALTIME/./} - begin) / 1000))
	within 30 advanced "$before"
	state_is writer running || fail "$daemon: the guest is not running after its restart"
	within 10 opsctl list
done
console_has writer "I/O ERROR" && fail "the guest saw an I/O error"
cmdpartctl stop writer --timeout 30
e2fsck -fp "$work/writer.raw" || (($? == 1)) || fail "the file system is damaged"
mkdir "$work/mnt" && mount -o loop,ro "$work/writer.raw" "$work/mnt"
for file in "$work"/mnt/????????????????????????????????????????????????????????????????; do
	files=$((${files:-0} + 1))
	[[ $(sha256sum <"$file" | cut -c1-64) == "${file##*/}" ]] || bad=${file##*/}
done
umount "$work/mnt"
[[ ! ${bad:-} ]] || fail "a file differs from its checksum: $bad"
((files >= 2)) || fail "only $files files were found"
