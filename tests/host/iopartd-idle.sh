#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: with a guest's devices that do nothing an I/O partition is never woken up, before and after it has served thousands of requests
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 180
source "$(dirname "$0")/lib/guest.bash"

# shellcheck disable=SC2016 # the guest expands it
initrd 6.1-cloud 'echo "guest: idle"
sleep 20
iobench /dev/vda 5 read random 4096 1
echo "guest: done"
while :; do sleep 1000; done' --file "$repository/build/tests/guest/iobench:/bin/iobench"
truncate -s 64M "$work/idle.raw"
definition idle 6.1-cloud 1 128MiB disk net console
cmdpartctl define "$work/idle.json"
cmdpartctl start idle
within 60 console_has idle "guest: idle"

# shellcheck disable=SC2046 # a file for each process
wakeups() { cat $(pgrep -x iopartd | sed 's|.*|/proc/&/status|') | awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'; }
quiet() {
	local before
	before=$(wakeups)
	sleep 5
	[[ $(wakeups) == "$before" ]]
}
within 15 quiet

server=$(cmdpartctl show idle --json | jq -r '.channels[] | select(.device == "root").servers[] | select(.state == "serving").name')
pid=$(pgrep -o -f "^([^ ]*/)?iopartd --instance ${server#io-}")
of_server() { awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$pid/status"; }
before=$(of_server)
within 60 console_has idle "guest: done"
requests=$(console idle | sed -n 's/.*iobench: .*: \([0-9]*\) requests.*/\1/p')
slept=$(($(of_server) - before))
echo "$requests requests, the server slept $slept times"
within 60 quiet
