#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: whichever I/O partition serves a guest's disk, network card and console is killed, over and over, while the guest writes, is pinged and speaks; it sees a stall and nothing else
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

writer disk net console
pid_of() { pgrep -o -f "^([^ ]*/)?iopartd --instance $1"; }
replaced() { local now; now=$(pid_of "$1") && [[ $now != "$2" ]]; }
within 20 busybox ping -c 1 -W 1 10.77.0.2

longest=0
for round in 1 2 3 4 5 6 7; do
	for instance in a b; do
		before=$(writer_last) old=$(pid_of "$instance")
		sleep "0.$((RANDOM % 10))"
		begin=${EPOCHREALTIME/./}
		kill -KILL "$old"
		# Every other time the standby has no time to come back before the next one dies.
		((round % 2)) && within 10 replaced "$instance" "$old"
		if ((round % 2)); then
			within 30 writer_advanced "$((before + 1))"
			took=$(((${EPOCHREALTIME/./} - begin) / 1000))
			((took > longest)) && longest=$took
		fi
	done
	within 30 writer_advanced "$(writer_last)"
	within 20 busybox ping -c 1 -W 1 10.77.0.2
done
echo "14 kills; $(writer_last) rounds of the guest; two rounds after a kill took at most $longest ms"

writer_whole cmdpartctl kill writer
