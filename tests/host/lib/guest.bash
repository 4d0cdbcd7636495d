# SPDX-License-Identifier: Apache-2.0
# Guests for tests of the whole system: sourced inside the test host.
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# shellcheck disable=SC2034 # used by the tests
repository=$repo
work=/var/lib/ultravisor/test-$(basename "$0" .sh)
guests=()
mkdir -p "$work"

# At the end, whatever happened: what the consoles and daemons said, and no guest left.
guests_end() {
	local name
	for name in "${guests[@]}"; do
		# shellcheck disable=SC2154 # of cleanup, which calls this
		if ((status)); then
			echo "--- console of $name"
			timeout 10 cmdpartctl console "$name" --log | tail -n 25
		fi
		timeout 20 cmdpartctl kill "$name" >/dev/null 2>&1
		timeout 20 cmdpartctl undefine "$name" >/dev/null 2>&1
	done
	if ((status)); then
		for name in /run/log/ultravisor/*.log; do echo "--- $name" && tail -n 12 "$name"; done
	fi
	rm -rf "$work"
}
later guests_end

console() { timeout 20 cmdpartctl console "$1" --log; }
# Reads to the end: a pipe that breaks under the console would count as failure.
console_has() { console "$1" | grep -- "$2" >/dev/null; }
state_is() { [[ $(cmdpartctl show "$1" --json | jq -r .state) == "$2" ]]; }

# fail_back SECONDS: the policy's io.fail_back_s, for the rest of this test; 0: what was lost stays where it is
fail_back() {
	local drop=/etc/ultravisor/policy.d/fail-back.json
	mkdir -p "${drop%/*}"
	[[ -e $drop ]] || later "rm -f $drop; cmdpartctl policy reload >/dev/null"
	echo "{ \"io\": { \"fail_back_s\": $1 } }" >"$drop"
	cmdpartctl policy reload >/dev/null
	is "io.fail_back_s" "$(cmdpartctl policy --json | jq .policy.io.fail_back_s)" "$1"
}

# initrd KERNEL SCRIPT [OPTION…]: makes $work/KERNEL.initrd whose guest runs SCRIPT (text) at boot
initrd() {
	local kernel=$1
	printf '%s\n' "$2" >"$work/$kernel.init"
	shift 2
	"$repository/testhost/guest-initrd" "$work/$kernel.initrd" --kernel "$kernel" \
		--init "$work/$kernel.init" "$@" >/dev/null
	cp -L "$repository/build/kernels/$kernel/vmlinuz" "$work/$kernel.vmlinuz"
}

# disk NAME SIZE: an ext4 image
disk() {
	truncate -s "$2" "$work/$1.raw"
	mkfs.ext4 -q -F "$work/$1.raw"
}

# definition NAME KERNEL VCPUS MEMORY [DEVICE…]: writes $work/NAME.json; devices: disk nbd net console
definition() {
	local name=$1 kernel=$2 vcpus=$3 memory=$4 device devices=''
	shift 4
	for device; do
		case $device in
		disk) devices+=", { \"type\": \"block\", \"name\": \"root\", \"path\": \"$name.raw\" }" ;;
		nbd) devices+=", { \"type\": \"block\", \"name\": \"root\", \"path\": \"$name.sock\" }" ;;
		net) devices+=', { "type": "network", "name": "net0", "bridge": "uvbr0" }' ;;
		console) devices+=', { "type": "console", "name": "console" }' ;;
		esac
	done
	cat >"$work/$name.json" <<-END
	{ "version": 1, "name": "$name", "cpus": { "count": $vcpus }, "memory": "$memory",
	  "boot": { "kernel": "$kernel.vmlinuz", "initrd": "$kernel.initrd", "cmdline": "console=ttyS0 quiet panic=-1" },
	  "devices": [ ${devices#, } ] }
	END
	guests+=("$name")
}

# bridge_up: gives this host an address beside the guests' (uvbr0 exists while a tap is on it)
bridge_up() {
	within 10 ip link show uvbr0
	ip address replace 10.77.0.1/24 dev uvbr0
	ip link set uvbr0 up
}

# writer DEVICE…: starts a guest of that name that writes files for ever, each under its own checksum,
# and reads them back past its cache; it says every number
writer() {
	# In the foreground: a session's end would end it.
	# shellcheck disable=SC2016 # the guest expands it
	initrd 6.1-cloud 'mount -t ext4 /dev/vda /mnt
ip address add 10.77.0.2/24 dev eth0 2>/dev/null && ip link set eth0 up
n=0
while :; do n=$((n + 1))
	dd if=/dev/urandom of=/mnt/new bs=64k count=6 conv=fsync 2>/dev/null || echo "guest: I/O ERROR write"
	sum=$(sha256sum /mnt/new | cut -c1-64)
	mv /mnt/new /mnt/$((n % 20)).$sum && sync || echo "guest: I/O ERROR rename"
	rm -f $(ls -d /mnt/$((n % 20)).* | grep -v $sum)
	if [ $((n % 5)) = 0 ]; then
		echo 3 >/proc/sys/vm/drop_caches
		for f in /mnt/*.*; do
			[ "$(sha256sum "$f" | cut -c1-64)" = "${f#*.}" ] || echo "guest: DAMAGED $f"
		done
	fi
	echo "guest: wrote $n."
done'
	[[ " $* " != *' disk '* ]] || disk writer 96M
	definition writer 6.1-cloud 1 256MiB "$@"
	cmdpartctl define "$work/writer.json"
	cmdpartctl start writer
	[[ " $* " != *' net '* ]] || bridge_up
	within 60 console_has writer "guest: wrote 3"
}

writer_last() { console writer | sed -n 's/.*guest: wrote \([0-9]*\)\..*/\1/p' | tail -n 1; }
writer_advanced() { local now; now=$(writer_last) && ((${now:-0} > $1)); }

# writer_whole COMMAND…: nothing was wrong so far; and once COMMAND has ended it, its disk is whole
writer_whole() {
	local file files=0
	state_is writer running || fail "the guest is not running"
	console writer >"$work/console"
	! grep -E "I/O ERROR|I/O error|DAMAGED" "$work/console" || fail "the guest saw an error"
	# The log has every round once, in order, from the first that it still holds.
	sed -n 's/.*guest: wrote \([0-9]*\)\..*/\1/p' "$work/console" | awk '
		NR > 1 && $1 != last + 1 { print "after " last " comes " $1; bad = 1 } { last = $1 } END { exit bad }' ||
		fail "the console's log is not what the guest said"
	"$@"
	within 10 state_is writer defined
	e2fsck -fp "$work/writer.raw" || (($? == 1)) || fail "the file system is damaged"
	mkdir "$work/mnt"
	mount -o loop,ro "$work/writer.raw" "$work/mnt"
	for file in "$work"/mnt/*.*; do
		[[ $(sha256sum <"$file" | cut -c1-64) == "${file##*.}" ]] || break
		files=$((files + 1)) file=''
	done
	umount "$work/mnt"
	[[ ! $file ]] || fail "a file differs from its checksum: $file"
	((files >= 2)) || fail "only $files files were found"
}
