#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: whatever a loss of power leaves of the writes that no flush covers, whole or torn, ext4 and uvd's book come back sound with every acknowledged transaction; on a disk that lies about flushes this test finds some lost
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 3600
#
# SEED, IMAGES and TRANSACTIONS (at least) may be set. An image is made again by its number beside the
# log of the same run; two runs never have the same log.
# shellcheck disable=SC2154 # tmp is of lib.sh
source "$(dirname "$0")/../host/lib/guest.bash"

rmdir "$work"
work=/srv/test-power state=/var/lib/ultravisor mib=32 clients=4
images=${IMAGES:-240} transactions=${TRANSACTIONS:-300} seed=${SEED:-$((RANDOM + 1))}
powerdisk=$repository/build/tests/host/uvd/powerdisk
mkdir -p "$work/book"
echo "seed: $seed"

uvd() { pgrep -o -x uvd; }
restart() { # COMMAND…: with uvd stopped; then the daemons that use the directory start again
	kill -STOP "$(uvd)"
	"$@"
	kill -9 "$(uvd)" "$(pidof cmdpartd)" "$(pidof opsd)"
	within 30 cmdpartctl list
}

# The disk, and the book on it; the book's own place again at the end.
modprobe nbd
mkfifo "$work/marks"
"$powerdisk" serve /dev/nbd0 $mib "$work/log" "$work/marks" &
disk=$!
size_is() { [[ $(blockdev --getsize64 /dev/nbd0) == $((mib << 20)) ]]; }
begin() {
	mount /dev/nbd0 "$work/book"
	cp -a "$state/uvd.db"* "$work/book/"
	[ ! -e "$state/console" ] || cp -a "$state/console" "$work/book/"
	mount --move "$work/book" "$state"
}
end() { umount -l "$state"; }
ended() { ! mountpoint -q /var/lib/ultravisor || [[ $(stat -c %D $state) != "$on_disk" ]] || restart end; }
no_disk() { [ ! -e /sys/fs/ext4/nbd0 ]; }
off() {
	ended
	within 30 no_disk
	[[ ! $disk ]] || { kill "$disk" && wait "$disk"; }
	disk=''
}
on_disk='' at_exit=(off "${at_exit[@]}")
within 10 size_is
mkfs.ext4 -q /dev/nbd0
restart begin
on_disk=$(stat -c %D $state)
[[ $(stat -c %m $state/uvd.db) == "$state" ]] || fail "the book is not on the disk"

# client N: defines, changes and removes partitions, and marks each as soon as it is acknowledged
client() {
	local i name command
	for ((i = 0; i * 3 * clients < transactions; i++)); do
		name=power-$1-$i
		printf '{ "version": 1, "name": "%s", "cpus": { "count": 1, "budget_ms": 10, "period_ms": 100 }, "memory": "64MiB",
			"boot": { "kernel": "/srv/test-power/kernel" } }' \
			"$name" >"$work/$name.json"
		for command in "define $work/$name.json" "set $name cpus.budget_ms=20" "undefine $name"; do
			# shellcheck disable=SC2086 # words
			cmdpartctl $command --json >"$work/$1.out" 2>&1 ||
				fail "$command: $(cat "$work/$1.out")"
			jq -r .transaction "$work/$1.out" >"$work/marks"
		done
	done
}
sync
echo begin >"$work/marks"
cp -L "$repository/build/kernels/6.1-cloud/vmlinuz" "$work/kernel"
pids=()
for ((i = 1; i <= clients; i++)); do
	client $i &
	pids+=($!)
done
wait "${pids[@]}"
for i in "${pids[@]}"; do wait "$i" || fail "a client failed"; done
off

# image FOLDER SEED [lying]: rebuilds it, mounts it, reads the book; its numbers in $marked, $missing, $point
image() {
	local dir=$1 status=0 number there=() ; local -A known=()
	mkdir -p "$dir/mnt"
	"$powerdisk" rebuild "$work/log" $mib "$2" "$dir/image" "${@:3}" >"$dir/marked" 2>"$dir/point"
	point=$(<"$dir/point")
	mount -o loop "$dir/image" "$dir/mnt" || fail "it cannot be mounted: $point"
	uvd --check-db --state "$dir/mnt" >"$dir/out" 2>&1 || status=$?
	sqlite3 "$dir/mnt/uvd.db" 'SELECT "transaction" FROM ledger WHERE status = 0' >"$dir/there" || status=$?
	umount "$dir/mnt"
	((status == 0)) || fail "no sound book: $point: $(<"$dir/out")"
	mapfile -t there <"$dir/there"
	mapfile -t marked <"$dir/marked"
	for number in "${there[@]}"; do known[$number]=1; done
	missing=0
	for number in "${marked[@]}"; do [[ ${known[$number]-} ]] || missing=$((missing + 1)); done
}

# worker N: every fourth image; a line each
worker() {
	local i
	for ((i = $1; i < images; i += clients)); do
		image "$work/w$1" $((seed * 100000 + i))
		((missing == 0)) || fail "$missing acknowledged transactions are lost: $point"
		echo "${#marked[@]} acknowledged, all there: $point"
	done
}
pids=()
for ((i = 0; i < clients; i++)); do
	worker $i > >(tee "$work/done.$i") &
	pids+=($!)
done
for i in "${pids[@]}"; do wait "$i" || fail "see above"; done
cat "$work"/done.* >"$work/done"
read -r n acknowledged open torn < <(sed -E 's/^([0-9]+) ack.*, ([0-9]+) writes not.* ([0-9]+) torn$/\1 \2 \3/' "$work/done" |
	awk '{ a += $1; o += $2; t += $3 } END { print NR, a, o, t }')
((n == images)) || fail "$n of $images images"
((open > images / 2 && torn > 0)) || fail "nothing was left to chance: $open writes, $torn torn"
((acknowledged > images)) || fail "$acknowledged acknowledged"

# A disk that says it has flushed and has not: then this test must notice.
noticed=0
for ((i = 0; i < 10; i++)); do
	image "$work/lying" $((seed * 100000 + i)) lying
	((missing == 0)) || noticed=$((noticed + 1))
done
((noticed > 5)) || fail "only $noticed of 10 images of a disk that lies lack a transaction"

echo "$(stat -c %s "$work/log") bytes of log; a disk that lies lost transactions in $noticed of 10"
echo "count: $images images, $open writes not flushed, $torn of them torn, $acknowledged acknowledged transactions looked for"
