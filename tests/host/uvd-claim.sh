#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a block device that is mounted, or part of one in use, cannot be claimed, nor an image that a loop device has; a claimed device cannot be mounted by the host, also after uvd was killed; refusals leave one ledger line each and nothing else
# where: appliance
# appliance: --no-daemons
# timeout: 120
. "$(dirname "$0")/lib/uvd.bash"

need losetup mkfs.ext4
touch "$work/vmlinuz" "$work/initrd"
truncate -s 32M "$work/disk.img" "$work/other.img"
mkfs.ext4 -q -F "$work/disk.img"
loop=$(losetup -f --show "$work/disk.img")
later "losetup -d $loop 2>/dev/null; umount $work/mnt 2>/dev/null"
mkdir "$work/mnt"
start_uvd
within 10 [ -S /run/ultravisor/uvd.sock ]
status_is 0 uvcommand domain default 1 512MiB
status_is 0 define web1 64MiB + block web1 root "$loop"
status_is 0 define web2 64MiB + block web2 root "$work/disk.img"
status_is 0 define web3 64MiB + block web3 root "$loop" ro
status_is 0 define web4 64MiB + block web4 root "$loop" ro

lines=$(sql 'SELECT count(*) FROM ledger')
mount "$loop" "$work/mnt"
status_is 4 uvcommand claim web1 root
has "$tmp/out" 'is mounted, or in use by the host'
umount "$work/mnt"
status_is 4 uvcommand claim web2 root
has "$tmp/out" 'is attached to a loop device'
is "ledger lines of two refusals" "$(($(sql 'SELECT count(*) FROM ledger') - lines))" 2
is "claims" "$(sql 'SELECT count(*) FROM claim')" 0

# Readers share it, a writer does not, and the host is kept out.
status_is 0 uvcommand claim web3 root
status_is 0 uvcommand claim web4 root
status_is 4 uvcommand claim web1 root
has "$tmp/out" 'in use by partition web'
! mount "$loop" "$work/mnt" 2>"$tmp/mount" || fail "a claimed device was mounted"
kill_daemon uvd
start_uvd
within 10 uvcommand rows host
! mount "$loop" "$work/mnt" 2>"$tmp/mount" || fail "a claimed device was mounted after uvd's restart"
status_is 0 uvcommand undefine web3
! mount "$loop" "$work/mnt" 2>"$tmp/mount" || fail "web4 has it still"
status_is 0 uvcommand undefine web4
mount "$loop" "$work/mnt" || fail "a released device cannot be mounted"
umount "$work/mnt"
