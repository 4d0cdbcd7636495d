#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest sends with its own addresses alone; rules that something else flushes are put back; who else is in the way is named
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
# shellcheck disable=SC2154 # tmp is lib.sh's
source "$(dirname "$0")/lib/guest.bash"

# In turns with its own address and with one that is not; what passes is answered.
initrd 6.1-cloud 'ip address add 10.77.0.2/24 dev eth0; ip link set eth0 up
own=$(cat /sys/class/net/eth0/address)
as() {
	ip link set eth0 down; ip link set eth0 address $1; ip link set eth0 up
	sleep 0.2
	ping -c 1 -W 1 10.77.0.1 >/dev/null 2>&1 && echo "guest: $2 passed $n" || echo "guest: $2 blocked $n"
}
n=0
ip address add 10.77.0.66/24 dev eth0
while :; do n=$((n + 1)); as $own own; as 02:00:00:00:00:99 forged
	ip link set eth0 down; ip link set eth0 address $own; ip link set eth0 up
	ping -I 10.77.0.66 -c 1 -W 1 10.77.0.1 >/dev/null 2>&1 && echo "guest: foreign passed $n" || echo "guest: foreign blocked $n"
done'
definition guard 6.1-cloud 1 256MiB net console
jq '(.devices[] | select(.type == "network")).addresses = [ "10.77.0.2", "fd00::2" ]' "$work/guard.json" >"$work/json"
mv "$work/json" "$work/guard.json"
cmdpartctl define "$work/guard.json"
cmdpartctl start guard
bridge_up
# From the log itself: cmdpartctl asks uvd, which is held below.
rounds() { cat "/var/lib/ultravisor/console/$uuid"* | sed -n "s/.*guest: $1 \([0-9]*\).*/\1/p" | tail -n 1; }
after() { local now; now=$(rounds "$2") && ((${now:-0} > $1)); }
# The next attempt but one is all of what is in force now.
attempt() { after "$(($(rounds "forged [a-z]*") + 1))" "$1"; }
guarded() { nft list table netdev ultravisor 2>/dev/null | grep "ether saddr != $mac drop" >/dev/null; }
uuid=$(cmdpartctl show guard --json | jq -r .uuid)
mac=$(cmdpartctl show guard --json | jq -r '.devices[] | select(.type == "network").mac')

within 60 after 1 "own passed"
within 30 after 1 "forged blocked"
[[ -z $(rounds "forged passed") ]] || fail "a frame with another's address passed"
within 30 after 1 "foreign blocked"
[[ -z $(rounds "foreign passed") ]] || fail "a packet from another IP address passed"
guarded || fail "there is no rule for $mac"
status_is 0 cmdpartctl verify

# Without the rules it passes. uvd is held, as it would put them back.
uvd=$(pidof uvd)
later "kill -CONT $uvd 2>/dev/null"
kill -STOP "$uvd"
nft delete table netdev ultravisor
now=$(rounds "forged [a-z]*")
within 30 after "$now" "forged passed"
within 30 after "$now" "foreign passed"

kill -CONT "$uvd"
within 10 guarded
now=$(rounds "forged [a-z]*")
within 30 after "$((now + 1))" "forged blocked"
within 30 after "$((now + 1))" "foreign blocked"
(($(rounds "forged passed") <= now + 1)) || fail "forged frames pass though the rules are back"
grep "rules of 1 tap were removed or changed by nft" /run/log/ultravisor/uvd.log >/dev/null ||
	fail "uvd's log does not name who removed the rules"

# While it runs, and by a change of one rule.
nft flush ruleset
within 10 guarded
handle=$(nft -a list table netdev ultravisor | sed -n 's/.*ether saddr != .* drop # handle //p')
nft delete rule netdev ultravisor uvt0 handle "$handle"
within 10 guarded
status_is 0 cmdpartctl verify

# uvd's death changes nothing; the next one finds them, and makes them its own.
kill -KILL "$uvd"
guarded || fail "the rules went with uvd"
within 20 cmdpartctl verify
guarded || fail "the rules are gone after uvd's restart"
after "$now" "own passed" || fail "its own frames do not pass"

# What others do to guests' networks is named: Docker's policy for what is forwarded, and NetworkManager.
modprobe br_netfilter
later "rmmod br_netfilter"
sysctl -q net.bridge.bridge-nf-call-iptables=1
nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
later "nft delete table ip filter 2>/dev/null"
status_is 9 cmdpartctl verify
has "$tmp/out" "tap uvt0 of guard on uvbr0 .*chain FORWARD drops"
nft insert rule ip filter FORWARD iifname uvbr0 oifname uvbr0 accept
status_is 0 cmdpartctl verify
record=/run/NetworkManager/devices/$(cat /sys/class/net/uvt0/ifindex)
later "rm -f $record"
mkdir -p "${record%/*}"
printf '[device]\nmanaged=true\n' >"$record"
status_is 9 cmdpartctl verify
has "$tmp/out" "tap uvt0 of guard .*NetworkManager"
rm "$record"

cmdpartctl kill guard

