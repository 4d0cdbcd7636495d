#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: guests of two zones reach each other if the policy says so, and else not, whatever flushes the rules
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
# shellcheck disable=SC2154 # tmp is lib.sh's
source "$(dirname "$0")/lib/guest.bash"

# web reaches whom it can, and tells when that changes.
initrd 6.1-cloud 'me=$(sed "s/.*uvip=\([0-9]*\).*/\1/" /proc/cmdline)
ip address add 10.77.0.$me/24 dev eth0; ip link set eth0 up
echo "guest: up"
[ $me = 2 ] || while :; do sleep 60; done
n=0
while :; do n=$((n + 1))
	for to in 1 3 4 5; do
		ping -c 1 -W 1 10.77.0.$to >/dev/null 2>&1 && echo "guest: $to passed $n" || echo "guest: $to blocked $n"
	done
done'
policy=/etc/ultravisor/policy.d/zone-test.json
later "rm -f $policy; cmdpartctl policy reload >/dev/null"
mkdir -p "${policy%/*}"
echo '{ "zones": { "web": [ "db" ], "db": [], "cache": [] } }' >$policy
cmdpartctl policy reload

# guest NAME LAST-BYTE ZONE
guest() {
	definition "$1" 6.1-cloud 1 192MiB net console
	jq --arg zone "$3" --arg ip "$2" '.boot.cmdline += " uvip=" + $ip |
		if $zone != "" then (.devices[] | select(.type == "network")).zone = $zone else . end' \
		"$work/$1.json" >"$work/json"
	mv "$work/json" "$work/$1.json"
	cmdpartctl define "$work/$1.json"
	cmdpartctl start "$1"
}
guest web 2 web
guest db 3 db
guest cache 4 cache
guest none 5 ''
bridge_up
uuid=$(cmdpartctl show web --json | jq -r .uuid)
rounds() { cat "/var/lib/ultravisor/console/$uuid"* | sed -n "s/.*guest: $1 \([0-9]*\).*/\1/p" | tail -n 1; }
after() { local now; now=$(rounds "$2") && ((${now:-0} > $1)); }
for name in db cache none; do within 90 console_has "$name" "guest: up"; done
within 60 after 0 "5 blocked"

now=$(rounds "5 [a-z]*")
within 30 after "$now" "3 passed"	# the policy lets them
within 30 after "$now" "1 passed"	# the host is in no zone
within 30 after "$now" "5 blocked"
for to in 4 5; do [[ -z $(rounds "$to passed") ]] || fail "web reaches 10.77.0.$to of another zone"; done

# Without the rules they are one network.
uvd=$(pidof uvd)
later "kill -CONT $uvd 2>/dev/null"
kill -STOP "$uvd"
nft delete table bridge ultravisor
now=$(rounds "5 [a-z]*")
within 30 after "$now" "4 passed"
within 30 after "$now" "5 passed"
kill -CONT "$uvd"
back() { nft list table bridge ultravisor >/dev/null 2>&1; }
within 10 back
now=$(rounds "5 [a-z]*")
within 30 after "$((now + 1))" "5 blocked"
(($(rounds "4 passed") <= now + 1)) || fail "the zones' rules are not back"
status_is 0 cmdpartctl verify
grep "rules between zones were removed or changed by nft" /run/log/ultravisor/uvd.log >/dev/null ||
	fail "uvd's log does not name who removed the zones' rules"
jq '.name = "strange" | (.devices[] | select(.type == "network")).zone = "strange"' "$work/web.json" >"$work/strange.json"
status_is 6 cmdpartctl define "$work/strange.json"
has "$tmp/err" "no zone strange"

for name in web db cache; do cmdpartctl kill "$name"; done
! back || fail "the rules of zones outlived the last guest with one"
