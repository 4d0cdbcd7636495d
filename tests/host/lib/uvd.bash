# SPDX-License-Identifier: Apache-2.0
# uvd with the two I/O partitions, and a client of the command channel in cmdpartd's place
# (build/tests/host/uvd/uvcommand). Sourced inside a test host without daemons.
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

[ -n "${APPLIANCE-}" ] || fail "this runs in the test host"
PATH=$repo/build/tests/host/uvd:$PATH
state=/var/lib/ultravisor/test-$(basename "$0" .sh)
work=$state/work
mkdir -p "$work" /run/ultravisor
declare -A pids=()

# start_daemon NAME COMMAND...: its log in $tmp/NAME.log
start_daemon() {
	local name=$1
	shift
	"$@" </dev/null >>"$tmp/$name.log" 2>&1 &
	pids[$name]=$!
}

start_uvd() {
	start_daemon uvd uvd --debug --state "$state" "$@"
}

kill_daemon() {
	kill -KILL "${pids[$1]}"
	wait "${pids[$1]}" 2>/dev/null || true
}

start_all() {
	start_uvd
	within 10 [ -S /run/ultravisor/uvd.sock ]
	start_daemon io-a iopartd --instance a
	start_daemon io-b iopartd --instance b
	within 10 connected io-a
	within 10 connected io-b
}

connected() {
	uvcommand rows partition "$1" | grep -q "state=3"
}

finish() {
	local name pid
	# uvd first: it would record the end of everything else
	for name in uvd io-a io-b; do
		pid=${pids[$name]-}
		[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	pkill -KILL -x uvmonitor 2>/dev/null
	if [ "$status" -ne 0 ]; then
		for name in "$tmp"/*.log; do echo "--- $name" && tail -n 40 "$name"; done
		tail -n 20 "$state"/console/*.log 2>/dev/null
	fi
	rm -rf "$state"
}
later finish

# within SECONDS COMMAND...: until it succeeds, without its output
within() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) limit=$1
	shift
	until "$@" >/dev/null 2>&1; do
		((${EPOCHREALTIME/[.,]/} < end)) || fail "not within $limit s: $*"
		sleep 0.1
	done
}

# guest SCRIPT: kernel and initrd of a guest that runs it
guest() {
	printf '%s\n' "$1" >"$tmp/init"
	"$repo/testhost/guest-initrd" "$work/initrd" --init "$tmp/init" >/dev/null
	cp -L "$repo/build/kernels/6.1-cloud/vmlinuz" "$work/vmlinuz"
}

# define NAME MEMORY [DEVICE OPERATIONS…]
define() {
	local name=$1 memory=$2
	shift 2
	uvcommand define "$name" default 1 "$memory" "$work/vmlinuz" "$work/initrd" \
		"console=ttyS0 quiet panic=-1" + console "$name" console "$@"
}

# start_guest NAME MEMORY [OPERATIONS…]: in one transaction
start_guest() {
	local name=$1 memory=$2
	shift 2
	uvcommand memory "$name" "$memory" 0 + cpu "$name" 0 1 + claim "$name" console \
		+ channel "$name" console io-a,io-b "$@" + start "$name"
}

uuid_of() {
	printf '%s' "$1................" | head -c 16 | od -An -tx1 | tr -d ' \n' |
		sed 's/^\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)/\1-\2-\3-\4-/'
}

console() { cat "$state/console/$(uuid_of "$1").log"; }
console_has() { console "$1" | grep -q -- "$2"; }
state_is() { uvcommand rows partition "$1" | grep -q " state=$2 "; }
sql() { sqlite3 -readonly "$state/uvd.db" "$1"; }
