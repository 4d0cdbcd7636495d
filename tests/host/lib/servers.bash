# SPDX-License-Identifier: Apache-2.0
# A guest's device and its two I/O partitions. Sourced after guest.bash; INSTANCE is a or b.
# shellcheck shell=bash

pid_of() { pgrep -o -f "^([^ ]*/)?iopartd --instance $1"; } # INSTANCE
replaced() { local now; now=$(pid_of "$1") && [[ $now != "$2" ]]; } # INSTANCE PID

servers() { cmdpartctl show "$1" --json | jq -c --arg device "$2" '.channels[] | select(.device == $device).servers'; } # GUEST DEVICE
# has GUEST DEVICE STATE: the instance that is serving, or standby
has() { servers "$1" "$2" | jq -r --arg state "$3" '.[] | select(.state == $state).name' | sed 's/^io-//'; }
both() { [[ $(servers "$1" "$2" | jq -c '[.[].state] | sort') == '["serving","standby"]' ]]; } # GUEST DEVICE

# end_server GUEST DEVICE SIGNAL INSTANCE: another process comes in its place, and attaches
end_server() {
	local old
	old=$(pid_of "$4")
	kill "-$3" "$old"
	within 60 replaced "$4" "$old"
	within 60 both "$1" "$2"
}
