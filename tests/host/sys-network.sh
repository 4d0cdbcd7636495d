#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: 64 MiB over TCP each way, between the host and a guest, arrive with the right checksum, whoever serves the card meanwhile
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

initrd 6.1-cloud 'ip link set lo up; ip address add 10.77.0.2/24 dev eth0; ip link set eth0 up
mount -t tmpfs -o size=160m none /mnt
nc -l -p 7001 >/mnt/in & echo "guest: listens"; wait
echo "guest: received $(sha256sum /mnt/in | cut -c1-64) $(stat -c %s /mnt/in)"
nc -l -p 7002 </mnt/in & echo "guest: sends"; wait'
definition net1 6.1-cloud 1 384MiB net console
cmdpartctl define "$work/net1.json"
cmdpartctl start net1
bridge_up
within 60 console_has net1 "guest: listens"
head -c 64M /dev/urandom >"$work/out"
want=$(sha256sum "$work/out" | cut -c1-64)
# failovers PID: the card's server is changed until the stream has ended, five times at the most
failovers() {
	moved=0
	while kill -0 "$1" 2>/dev/null && ((moved < 5)); do
		timeout 20 cmdpartctl io failover net1 net0 >/dev/null 2>&1 && moved=$((moved + 1))
		sleep 1
	done
	wait "$1" || fail "the stream broke after $moved failovers"
	((moved)) || fail "the stream was over before a failover"
}
timeout 100 nc -N 10.77.0.2 7001 <"$work/out" &
failovers $!
within 30 console_has net1 "guest: received $want 67108864"
within 10 console_has net1 "guest: sends"
timeout 100 nc -d 10.77.0.2 7002 >"$work/back" &
failovers $!
[[ $(sha256sum "$work/back" | cut -c1-64) == "$want" ]] || fail "what came back differs: $(stat -c %s "$work/back") bytes"
