#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest writes files to a qcow2 image that qemu-storage-daemon serves by NBD at a unix socket, while its I/O partitions and that server are killed; it sees stalls and nothing else
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"
pid_of() { pgrep -o -f "^([^ ]*/)?iopartd --instance $1"; }
serves() { cmdpartctl show writer --json | jq -r '.channels[] | select(.device == "root") | .servers[] | select(.state == "serving") | .name'; }
stands_by() { cmdpartctl show writer --json | jq -e '.channels[] | select(.device == "root") | .servers | any(.state == "standby")' >/dev/null; }

server=''
qsd() {
	rm -f "$work/writer.sock"
	qemu-storage-daemon --blockdev driver=file,filename="$work/disk.qcow2",node-name=file,cache.direct=off \
		--blockdev driver=qcow2,file=file,node-name=disk --nbd-server addr.type=unix,addr.path="$work/writer.sock" \
		--export type=nbd,id=e,node-name=disk,name=,writable=on &
	server=$!
	within 20 test -S "$work/writer.sock"
}
# shellcheck disable=SC2016 # as it is then
later 'kill $server 2>/dev/null'

truncate -s 96M "$work/plain" && mkfs.ext4 -q -F "$work/plain"
qemu-img convert -O qcow2 "$work/plain" "$work/disk.qcow2"
qsd
writer nbd console
[ "$(cmdpartctl show writer --json | jq -r '.devices[] | select(.name == "root") | .path')" = "$work/writer.sock" ] || fail "it is no socket"
for _ in 1 2 3; do
	within 30 stands_by
	before=$(writer_last) old=$(serves)
	kill -KILL "$(pid_of "${old#io-}")"
	within 40 writer_advanced "$((before + 1))"
done
for _ in 1 2; do
	before=$(writer_last)
	kill -KILL "$server"
	wait "$server" || true
	sleep 1
	qsd
	within 60 writer_advanced "$((before + 1))"
done
if console_has writer 'I/O ERROR\|I/O error\|DAMAGED'; then fail "the guest saw an error"; fi
cmdpartctl kill writer
within 10 state_is writer defined
kill "$server"
wait "$server" || true
qemu-img convert -O raw "$work/disk.qcow2" "$work/writer.raw"
e2fsck -fp "$work/writer.raw" || (($? == 1)) || fail "the file system is damaged"
cmdpartctl verify >/dev/null || true
grep -h 'NBD' /run/log/ultravisor/*.log | tail -n 12
echo "an I/O partition: $(awk '/^(VmRSS|RssAnon)/ { print $1, $2, $3 }' "/proc/$(pid_of a)/status" | xargs)"
