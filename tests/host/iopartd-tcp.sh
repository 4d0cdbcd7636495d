#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: four TCP streams run through a guest and back while its network card's server is killed, hangs, and hands over alive, again and again; none breaks, and all bytes are the same
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 300
#
# FAILOVERS of a kind in turn.
source "$(dirname "${BASH_SOURCE[0]}")/lib/guest.bash"
source "$(dirname "${BASH_SOURCE[0]}")/lib/servers.bash"

failovers=${FAILOVERS:-3} streams=4
fail_back 0
# It also asks now and then: a server that hangs is not missed by a guest that only listens.
initrd 6.1-cloud 'ip address add 10.77.0.2/24 dev eth0 && ip link set eth0 up
for i in 1 2 3 4; do nc -l -p 500$i -e cat & done
ping -q 10.77.0.1 >/dev/null 2>&1 & echo "guest: listens."
while pidof cat >/dev/null; do sleep 1; done
echo "guest: ends."
sleep 1000'
definition echo 6.1-cloud 1 128MiB net console
cmdpartctl define "$work/echo.json"
cmdpartctl start echo
bridge_up
within 60 console_has echo 'guest: listens'
within 20 busybox ping -c 1 -W 1 10.77.0.2
within 60 both echo net0

# 16 KiB at a time, for as long as it takes.
source_of() { while [[ ! -e $work/enough ]]; do head -c 16384 /dev/urandom && sleep 0.05; done; }
# A sum stands in a file only when its stream has ended.
stream() { source_of | tee >(sha256sum >"$work/sent.$1") >(wc -c >"$work/bytes.$1") | busybox nc 10.77.0.2 "500$1" | sha256sum >"$work/back.$1"; }
pids=()
for ((i = 1; i <= streams; i++)); do
	stream $i &
	pids+=($!)
done
later 'touch "$work/enough"; pkill -CONT -x iopartd'
for ((i = 0; i < failovers; i++)); do
	sleep "0.$((RANDOM % 10))"
	case $((i % 3)) in
	0) end_server echo net0 KILL "$(has echo net0 serving)" ;;
	1) cmdpartctl io failover echo net0 && within 60 both echo net0 ;;
	2) end_server echo net0 STOP "$(has echo net0 serving)" ;;
	esac
	for pid in "${pids[@]}"; do kill -0 "$pid" || fail "a stream has ended by itself"; done
done
touch "$work/enough"
for pid in "${pids[@]}"; do wait "$pid" || fail "a stream broke"; done
bytes=0
for ((i = 1; i <= streams; i++)); do
	is "stream $i" "$(<"$work/back.$i")" "$(<"$work/sent.$i")"
	bytes=$((bytes + $(<"$work/bytes.$i")))
done
within 20 console_has echo 'guest: ends'
((bytes > failovers * streams * 16384)) || fail "only $bytes bytes"
echo "count: $failovers failovers, $streams streams, $bytes bytes each way"
