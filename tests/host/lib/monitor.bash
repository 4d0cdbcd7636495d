# SPDX-License-Identifier: Apache-2.0
# Guests for tests of uvmonitor alone, started by build/tests/host/monitor/launch in uvd's place.
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

[ -n "${APPLIANCE-}" ] || fail "this runs in the test host"

# initrd KERNEL SCRIPT: a guest of busybox that runs SCRIPT (text) at boot; in $tmp/initrd
initrd() {
	printf '%s\n' "$2" >"$tmp/init"
	"$repo/testhost/guest-initrd" "$tmp/initrd" --kernel "$1" --init "$tmp/init" >/dev/null
}

kernel() {
	echo "$repo/build/kernels/$1/vmlinuz"
}

# launch STATUS KERNEL CMDLINE OPTION...: console in $tmp/console, the rest in $tmp/log; the last
# line of that, of launch itself, in $result
launch() {
	local want=$1 image=$2 cmdline=$3 have=0
	shift 3
	"$repo/build/tests/host/monitor/launch" "$@" "$image" "$cmdline" \
		>"$tmp/console" 2>"$tmp/log" </dev/null || have=$?
	result=$(grep '^launch: exit' "$tmp/log" | tail -n 1)
	if [ "$have" -ne "$want" ]; then
		tail -n 30 "$tmp/console" "$tmp/log" >&2
		fail "uvmonitor ended with status $have, not $want"
	fi
}

# value NAME: of one name=value in $result
value() {
	sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$result"
}
