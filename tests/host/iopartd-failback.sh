#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: an I/O partition that is killed under a guest's load stands by again by itself, and after the time that the policy says each device goes back to it, by transactions that say why; what an operator moved stays, and with fail-back off all stays; the guest sees nothing but stalls
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

channels() { cmdpartctl show writer --json | jq -c '[.channels[] | select(.device != "monitor")]'; }
# states INDEX: of the I/O partitions that are INDEX-th in order, devices that have no other first one
states() { channels | jq -r --arg first "$first" "[.[] | select(.servers[0].name == \$first) | .servers[$1].state] | unique | join(\" \")"; }
states_are() { [[ $(states 0) == "$1" && $(states 1) == "$2" ]]; }
pid_of() { pgrep -o -f "^([^ ]*/)?iopartd --instance ${1#io-}"; }
moves() { cmdpartctl ledger --json | jq --arg since "$since" '[.ledger[] | select(.transaction > ($since | tonumber) and .who == "cmdpartd" and (.reason | startswith("fail-back: ")))]'; }
goes_on() { within 30 writer_advanced "$(writer_last)"; }

fail_back 0
writer disk net console
first=$(channels | jq -r '.[] | select(.device == "root") | .servers[0].name')
other=$(channels | jq -r '.[] | select(.device == "root") | .servers[1].name')
within 30 states_are serving standby
since=$(cmdpartctl ledger --json | jq '.ledger | map(.transaction) | max')
count=$(channels | jq --arg first "$first" '[.[] | select(.servers[0].name == $first)] | length')
other_pid=$(pid_of "$other")

kill -KILL "$(pid_of "$first")"
within 40 states_are standby serving
sleep 5
states_are standby serving || fail "fail-back is off and a device moved: $(channels)"
fail_back 2
within 60 states_are serving standby
goes_on
is "moves" "$(moves | jq length)" "$count"
moves | jq -e --arg first "$first" 'all(.subject == "writer" and .status == "ok" and (.reason | test("^fail-back: \($first), which is to serve it, stands by again for [0-9]+ s$")))' >/dev/null ||
	fail "the ledger says: $(moves)"
moves | jq -e --arg first "$first" 'any(.summary | test("move root to \($first)"))' >/dev/null || fail "the ledger says: $(moves)"
cmdpartctl why writer >"$work/why"
has "$work/why" 'fail-back'
is "the process of the other one" "$(pid_of "$other")" "$other_pid"

# What an operator has moved stays where it is; the time is over that it would have taken.
cmdpartctl io failover writer root >/dev/null
root() { channels | jq -r '.[] | select(.device == "root") | .servers[0].state'; }
root_is() { [[ $(root) == "$1" ]]; }
within 20 root_is standby
sleep 6
root_is standby || fail "an operator's failover was undone"
kill -KILL "$(pid_of "$first")"
within 60 root_is serving
goes_on

echo "$(moves | jq length) moves"
writer_whole cmdpartctl kill writer
