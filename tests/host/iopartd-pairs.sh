#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a card with two pairs of queues works on both of them, before and after its server is killed; its limit holds for both together, each way
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

# Each server of the guest answers from one processor, which has a pair of its own.
# shellcheck disable=SC2016 # the guest expands it
initrd 6.1-cloud 'ip address add 10.77.0.2/24 dev eth0 && ip link set eth0 up
taskset 1 nc -ll -p 7001 -e cat &
taskset 2 nc -ll -p 7002 -e cat &
echo "guest: queues $(ls -d /sys/class/net/eth0/queues/rx-* | wc -l) $(ls -d /sys/class/net/eth0/queues/tx-* | wc -l)"
while :; do
	echo "guest: interrupts" $(awk "/-input/ { print \$2 + \$3 }" /proc/interrupts)
	sleep 1
done'
definition pairs 6.1-cloud 2 192MiB net console
jq '(.devices[] | select(.name == "net0")) |= . + { "queues": 2 }' "$work/pairs.json" >"$work/json"
jq '(.devices[] | select(.name == "net0")) |= . + { "queues": 4 }' "$work/pairs.json" >"$work/pairs4.json"
mv "$work/json" "$work/pairs.json"
status_is 2 cmdpartctl define "$work/pairs4.json"
cmdpartctl define "$work/pairs.json"
is "queues in the definition" "$(cmdpartctl show pairs --json | jq '.devices[] | select(.name == "net0").queues')" 2
cmdpartctl start pairs
bridge_up
within 60 console_has pairs "guest: interrupts"
console_has pairs "guest: queues 2 2" || fail "the guest does not use both pairs"

exec 5<>/dev/tcp/10.77.0.2/7001 6<>/dev/tcp/10.77.0.2/7002
echoed() { # ROUNDS: on both connections, in turns
	local i line fd
	for ((i = 0; i < $1; i++)); do
		for fd in 5 6; do
			echo "round $i" >&$fd
			read -r -t 20 line <&$fd || fail "connection $fd answers no more"
			is "answer of connection $fd" "$line" "round $i"
		done
	done
}
interrupts() { console pairs | sed -n 's/.*guest: interrupts \([0-9]* [0-9]*\).*/\1/p' | tail -n 1; }
# Both pairs got packets since: which connection has which pair is the kernel's business.
both_grew() { # FIRST SECOND
	local now
	echoed 5
	read -r -a now <<<"$(interrupts)"
	((now[0] > $1 && now[1] > $2))
}
read -r -a before <<<"$(interrupts)"
within 20 both_grew "${before[@]}"
for ((i = 0; i < 2; i++)); do
	server=$(cmdpartctl show pairs --json | jq -r '.channels[] | select(.device == "net0").servers[] | select(.state == "serving").name')
	kill -KILL "$(pgrep -o -f "^([^ ]*/)?iopartd --instance ${server#io-}")"
	echoed 2
	read -r -a before <<<"$(interrupts)"
	within 20 both_grew "${before[@]}"
	within 20 eval "cmdpartctl show pairs --json | jq -e '[.channels[] | select(.device == \"net0\").servers[].state] | index(\"standby\")' >/dev/null"
done
console_has pairs "fault" && fail "the guest's driver was found at fault"

# 128 KiB on each connection, there and back: 256 KiB each way at 128 KiB a second, less a burst.
exchange() {
	local fd begin=${EPOCHREALTIME/[.,]/} readers=()
	for fd in 5 6; do
		head -c 131072 /dev/zero >&$fd &
		readers+=($!)
		head -c 131072 <&$fd | wc -c >"$work/got.$fd" &
		readers+=($!)
	done
	wait "${readers[@]}"
	is "bytes that came back" "$(cat "$work/got.5" "$work/got.6" | xargs)" "131072 131072"
	echo $(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
}
free=$(exchange)
cmdpartctl set pairs net0.limits.bytes_per_s=128KiB net0.limits.burst_ms=100
bytes=$(exchange)
# Each answer is a packet each way, at least.
cmdpartctl set pairs net0.limits=none
cmdpartctl set pairs net0.limits.packets_per_s=10 net0.limits.burst_ms=100
begin=${EPOCHREALTIME/[.,]/}
echoed 10
packets=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
echo "without limit $free ms, with one of bytes $bytes ms; 20 answers at 10 packets a second: $packets ms"
((bytes >= 1800)) || fail "256 KiB passed in $bytes ms at 128 KiB a second"
((packets >= 1700)) || fail "20 packets passed in $packets ms at 10 a second"
((free < bytes)) || fail "without limit it was no faster"
cmdpartctl set pairs net0.limits=none
status_is 0 cmdpartctl verify
exec 5>&- 6>&-
