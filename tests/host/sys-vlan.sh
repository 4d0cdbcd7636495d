#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a card is an access port of its VLAN; a bridge that keeps none apart is refused and not altered
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
# shellcheck disable=SC2154 # tmp is lib.sh's
source "$(dirname "$0")/lib/guest.bash"

initrd 6.1-cloud 'for i in 0 1; do ip address add 10.7$i.0.2/24 dev eth$i; ip link set eth$i up; done
n=0
while :; do n=$((n + 1))
	for to in 10.70.0.1 10.71.0.1; do
		ping -c 1 -W 1 $to >/dev/null 2>&1 && echo "guest: $to passed $n" || echo "guest: $to blocked $n"
	done
	sleep 0.2
done'
ip link add brtest type bridge
later "ip link del brtest; ip link del uvbr0.20 2>/dev/null"
ip link set brtest up
definition vlan 6.1-cloud 1 192MiB net console
jq '.devices += [ { "type": "network", "name": "net1", "bridge": "uvbr0", "vlan": 20 } ] |
	(.devices[] | select(.name == "net0")) |= . + { "bridge": "brtest", "vlan": 10 }' "$work/vlan.json" >"$work/json"
mv "$work/json" "$work/vlan.json"
cmdpartctl define "$work/vlan.json"
status_is 4 cmdpartctl start vlan
has "$tmp/err" "brtest does not keep VLANs apart"
has "$tmp/err" "vlan_filtering 1"
is vlan_filtering "$(cat /sys/class/net/brtest/bridge/vlan_filtering)" 0

ip link set brtest type bridge vlan_filtering 1
cmdpartctl start vlan
is "uvbr0's vlan_filtering" "$(cat /sys/class/net/uvbr0/bridge/vlan_filtering)" 1
rounds() { console vlan | sed -n "s/.*guest: $1 \([0-9]*\).*/\1/p" | tail -n 1; }
after() { local now; now=$(rounds "$2") && ((${now:-0} > $1)); }
# An address in each bridge's own VLAN is out of reach, whatever it is,
ip address add 10.70.0.1/24 dev brtest
ip address add 10.71.0.1/24 dev uvbr0
within 60 after 1 "10.71.0.1 blocked"
[[ -z $(rounds "10.7[01].0.1 passed") ]] || fail "a frame left its VLAN"
# and one in the card's VLAN within it.
ip address del 10.70.0.1/24 dev brtest
ip address del 10.71.0.1/24 dev uvbr0
bridge vlan add dev brtest vid 10 self
bridge vlan add dev uvbr0 vid 20 self
ip link add link brtest name brtest.10 type vlan id 10
ip link add link uvbr0 name uvbr0.20 type vlan id 20
ip address add 10.70.0.1/24 dev brtest.10
ip address add 10.71.0.1/24 dev uvbr0.20
ip link set brtest.10 up
ip link set uvbr0.20 up
within 30 after 1 "10.70.0.1 passed"
within 30 after 1 "10.71.0.1 passed"
status_is 0 cmdpartctl verify
cmdpartctl kill vlan
[[ -e /sys/class/net/brtest ]] || fail "a bridge that was found is gone"
