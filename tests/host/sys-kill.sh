#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: uvd, cmdpartd, opsd and each iopartd are killed while a guest computes and writes; it goes on without an I/O error, and list, console and stop work again within 2 s of the kill
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 300
source "$(dirname "$0")/lib/guest.bash"

writer disk console
pid_of() { pgrep -o -f "^([^ ]*/)?$1"; }

# The bar is 2 s from the kill until all is back, on a machine that does nothing else. Nothing but
# the daemon's start happens in that time, so the yardstick of how slow this machine is just now
# is the start of one program, the median of five around each kill. With a core free for each of
# the 4 emulated processors that takes less than START ms; where it takes longer, the daemon gets
# as much more time.
BAR=2000 START=200

# kill_once DAEMON NAME: sets took, and what is allowed now
kill_once() {
	local start
	read -r took start <<<"$("$repository/build/tests/host/sys/restart" "$(pid_of "$1")" "$2" writer)"
	[[ ${start:-} ]] || fail "$2 does not come back"
	allowed=$((start > START ? BAR * start / START : BAR))
	echo "$2: ready, list and console $took ms after the kill; a program starts in $start ms, so $allowed ms are allowed"
}

for daemon in uvd cmdpartd opsd 'iopartd --instance a' 'iopartd --instance b' 'iopartd --instance a'; do
	before=$(writer_last)
	name=${daemon/ --instance /-}
	kill_once "$daemon" "$name"
	# An emulated processor is now and then held back for seconds: the better two of three decide.
	if ((took > allowed)); then
		good=0
		for _ in 1 2; do
			kill_once "$daemon" "$name"
			((took > allowed)) || good=$((good + 1))
		done
		((good == 2)) || fail "$name: not back within $BAR ms, as an idle machine counts them"
	fi
	within 30 writer_advanced "$before"
	cmdpartctl list >/dev/null
	console_has writer "guest: wrote"
	state_is writer running || fail "$daemon: the guest is not running after its restart"
	within 10 opsctl list
done
writer_whole cmdpartctl stop writer --timeout 30
