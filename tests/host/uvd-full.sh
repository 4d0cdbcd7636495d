#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: when the file system of uvd's book is full, or fails and becomes read-only, or a page of the book is damaged, what would change is refused with the way out, what is there can be read and guests go on, also after uvd was killed meanwhile; once there is room all goes on, and nothing that was acknowledged is lost
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
# shellcheck disable=SC2154 # tmp is of lib.sh
source "$(dirname "$0")/lib/guest.bash"

rmdir "$work"
work=/srv/test-full state=/var/lib/ultravisor
mkdir -p "$work/book"
uvd() { pgrep -o -x uvd; }
restart() { # COMMAND…: with uvd stopped; then the daemons that use the directory start again
	kill -STOP "$(uvd)"
	"$@"
	kill -9 "$(uvd)" "$(pidof cmdpartd)" "$(pidof opsd)"
	within 30 cmdpartctl list
}
within_again() { within 30 cmdpartctl list; }

# A small file system of its own beneath the book; back again at the end.
truncate -s 48M "$work/book.img"
mkfs.ext4 -q -F -O ^has_journal "$work/book.img"
begin() {
	mount -o loop "$work/book.img" "$work/book"
	cp -a "$state/." "$work/book/"
	mount --move "$work/book" "$state"
}
end() { umount -l "$state"; }
ended() { ! mountpoint -q "$state" || restart end; }
at_exit=(ended "${at_exit[@]}")	# the guests' end comes first
restart begin

# shellcheck disable=SC2016 # the guest expands it
initrd 6.1-cloud 'n=0
while :; do n=$((n + 1)); echo "guest: at $n."; sleep 1; done'
definition clock 6.1-cloud 1 256MiB console
definition other 6.1-cloud 1 256MiB
cmdpartctl define "$work/clock.json"
cmdpartctl start clock
within 60 console_has clock 'guest: at 3'
at() { cmdpartctl show clock --json | jq .run_ns; }
goes_on() { local before; before=$(at); sleep 1; (($(at) > before)); }
read_only() { [[ $(cmdpartctl host --json | jq .read_only) == "$1" ]]; }

refused() {
	status_is 1 cmdpartctl define "$work/other.json"
	has "$tmp/err" 'the database cannot be written'
	has "$tmp/err" "$1"
	stays
}
stays() {
	read_only true || fail "the host: $(cmdpartctl host --json)"
	[[ $(cmdpartctl list --json | jq -r '.partitions[] | select(.name == "clock") | .state') == running ]] || fail "the list"
	goes_on || fail "the guest stands still"
}

echo "--- full"
# What delayed allocation had set aside for more than was needed is free again behind a sync.
for _ in 1 2 3 4; do
	cat /dev/zero 2>/dev/null >>$state/filler || true
	sync -f $state
done
refused 'make room'
cmdpartctl host
kill -9 "$(uvd)"
within 30 cmdpartctl list
refused 'make room'
rm "$state/filler"
status_is 0 cmdpartctl define "$work/other.json"
read_only false || fail "it is still read-only"
cmdpartctl undefine other

echo "--- damaged"
cmdpartctl backup "$work/backup.db"
put_back() { rm -f "$state"/uvd.db-*; cp "$work/backup.db" "$state/uvd.db"; }
damage() {
	local page size
	page=$(sqlite3 "$work/backup.db" "SELECT rootpage FROM sqlite_schema WHERE name = 'version'")
	size=$(sqlite3 "$work/backup.db" 'PRAGMA page_size')
	put_back
	dd if=/dev/urandom of="$state/uvd.db" bs="$size" seek=$((page - 1)) count=1 conv=notrunc status=none
}
restart damage
# Found by an operation, or by the commit, of which is not known then whether it came to its end.
found() {
	local status=0
	cmdpartctl define "$work/other.json" 2>"$tmp/err" || status=$?
	((status == 1 || status == 8)) || fail "defined in a damaged book: $status"
	has "$tmp/err" 'the database cannot be written'
	stays
}
found
status_is 1 command uvd --check-db --state "$state"
has "$tmp/out" 'malformed|damaged|page|corrupt'
kill -9 "$(uvd)"
within 30 cmdpartctl list
found
restart put_back
status_is 0 cmdpartctl define "$work/other.json"
read_only false || fail "it is still read-only"
cmdpartctl undefine other
status_is 0 cmdpartctl verify

echo "--- failed"
last=$(cmdpartctl ledger --json | jq '.ledger[-1].transaction')
mount -o remount,abort "$state" 2>/dev/null || true
# Whether the commit's end has reached the file is not known then.
unknown() {
	status_is 8 cmdpartctl define "$work/other.json"
	has "$tmp/err" 'the database cannot be written'
	has "$tmp/err" "repeat the command with --request-id"
	stays
}
unknown
kill -9 "$(uvd)"
within 30 cmdpartctl list
stays
is "the last acknowledged transaction" "$(cmdpartctl ledger --json | jq ".ledger[] | select(.transaction == $last) | .transaction")" "$last"
