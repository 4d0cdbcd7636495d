#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest writes, reads and flushes, up to 64 requests of 512 B to 1 MiB at once on four queues, while its disk's server is killed at random and at each step of a request, and hung: it sees no error, what was completed is read back, nothing runs after its completion was visible, and no loss of power leaves anything older than a completed flush
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 300
#
# KILLS at random, HANGS, POINTS (names, or how many) and IMAGES of losses of power, in each of ROUNDS guests; SEED.
source "$(dirname "${BASH_SOURCE[0]}")/lib/guest.bash"
source "$(dirname "${BASH_SOURCE[0]}")/lib/servers.bash"

kills=${KILLS:-2} hangs=${HANGS:-1} images=${IMAGES:-4} rounds=${ROUNDS:-1} seed=${SEED:-$((RANDOM + 1))} mib=64
RANDOM=$seed
steps=(recorded submitted started operation-over copied before-done 'done' element published used free)
read -r -a points <<<"${POINTS:-1}"
[[ ${points[0]} != [0-9]* ]] || mapfile -t points < <(shuf -n "${points[0]}" -e "${steps[@]}" --random-source=<(yes "$seed"))
echo "seed: $seed"

powerdisk=$repository/build/tests/host/uvd/powerdisk
verify=$repository/build/tests/guest/verify
crash=/run/ultravisor/crash-io
gone() { ! kill -0 "$1" 2>/dev/null; }

# The program has the instants named in its source.
program=$repository/build/bin/iopartd
exchange() {
	local i old
	for i in a b; do
		old=$(pid_of $i)
		kill -KILL "$old"
		within 30 replaced $i "$old"
	done
}
# Who serves is to be whoever is hung or killed for that.
fail_back 0
mount --bind "$repository/build/tests/long/iopartd-crash" "$program"
usual() { rm -f $crash; umount -l "$program"; exchange; }
later usual
later 'pkill -CONT -x iopartd'
exchange

initrd 6.1-cloud 'verify run /dev/vda '"$seed"' </dev/ttyS0 || echo "guest: FAILED"
echo "guest: ends."
poweroff -f' --file "$verify:/bin/verify"
modprobe nbd

killed=0 hung=0 stepped=0 sectors=0 again=0 flushes=0 writes=0
round() {
	local i victim point disk log=$work/log counts
	[ -p "$work/marks" ] || mkfifo "$work/marks"
	"$powerdisk" serve /dev/nbd0 $mib "$log" "$work/marks" &
	disk=$!
	size_is() { [[ $(blockdev --getsize64 /dev/nbd0) == $((mib << 20)) ]]; }
	within 10 size_is
	echo begin >"$work/marks"
	cat >"$work/verified.json" <<-END
	{ "version": 1, "name": "verified", "cpus": { "count": 2 }, "memory": "256MiB",
	  "boot": { "kernel": "6.1-cloud.vmlinuz", "initrd": "6.1-cloud.initrd", "cmdline": "console=ttyS0 quiet panic=-1" },
	  "devices": [ { "type": "block", "name": "root", "path": "/dev/nbd0", "queues": 4 }, { "type": "console", "name": "console" } ] }
	END
	guests=(verified)
	cmdpartctl define "$work/verified.json"
	cmdpartctl start verified
	within 60 console_has verified 'verify: begins'
	within 60 both verified root
	for ((i = 0; i < kills; i++)); do
		sleep "0.$((RANDOM % 10))"
		end_server verified root KILL "$(has verified root serving)"
		killed=$((killed + 1))
	done
	for point in "${points[@]}"; do
		# The standby comes back with the point, serves, and does not outlive it.
		echo "$point $((RANDOM % 50 + 1))" >$crash
		victim=$(has verified root standby)
		end_server verified root KILL "$victim"
		rm -f $crash
		i=$(pid_of "$victim")
		end_server verified root KILL "$(has verified root serving)"
		within 60 gone "$i" || fail "$point is not passed"
		within 60 both verified root
		stepped=$((stepped + 1))
	done
	for ((i = 0; i < hangs; i++)); do
		end_server verified root STOP "$(has verified root serving)"
		hung=$((hung + 1))
	done
	ended() { printf 'end\n' | timeout 5 cmdpartctl console verified >/dev/null 2>&1; console_has verified 'guest: ends'; }
	within 120 ended
	console verified >"$work/console"
	! grep -E 'guest: FAILED|I/O error|DAMAGED' "$work/console" || fail "the guest saw an error"
	grep -a 'verify: whole' "$work/console" || fail "the guest's work was not whole"
	within 30 state_is verified defined
	cmdpartctl verify
	cmdpartctl undefine verified
	kill "$disk" && wait "$disk"
	for ((i = 0; i < images; i++)); do
		"$powerdisk" rebuild "$log" $mib $((seed * 1000 + RANDOM)) "$work/image.$i" >/dev/null
	done
	"$verify" log "$log" $mib "$work"/image.* >"$work/checked" || fail "seed $seed: $(<"$work/checked")"
	cat "$work/checked"
	rm -f "$work"/image.* "$log"
	counts=$(sed -nE 's/.*whole: ([0-9]+) writes of ([0-9]+) sectors, ([0-9]+) written again, ([0-9]+) flushes.*/\1 \2 \3 \4/p' "$work/checked")
	read -r w s a f <<<"$counts"
	writes=$((writes + w)) sectors=$((sectors + s)) again=$((again + a)) flushes=$((flushes + f))
}
for ((n = 0; n < rounds; n++)); do round; done
echo "count: $killed kills at random, $stepped at a step of a request, $hung hangs; $writes writes of $sectors sectors, $again of them again, $flushes flushes; $((rounds * images)) losses of power"
