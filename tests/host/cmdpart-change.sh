#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: beneath a guest that writes and answers pings, its devices are failed over by hand, a tap that is gone from the host is made anew, its domain grows and does not shrink below it; a partition that is off moves to another domain; lists of such changes happen whole or not at all
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 300
source "$(dirname "$0")/lib/guest.bash"

rc() {
	local want=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/error" || status=$?
	((status == want)) || fail "$*: exit code $status, not $want: $(cat "$work/out" "$work/error")"
}
said() { grep -E -- "$1" "$work/error" >/dev/null || fail "not said: $1: $(cat "$work/error")"; }
serves() { cmdpartctl show writer --json | jq -r ".channels[] | select(.device == \"$1\") | .servers[] | select(.state == \"serving\") | .name"; }
stands_by() { cmdpartctl show writer --json | jq -e ".channels[] | select(.device == \"$1\") | .servers | any(.state == \"standby\")" >/dev/null; }
answers() { busybox ping -c 1 -W 1 10.77.0.2 >/dev/null; }

writer disk net console
for device in root net0 console; do within 20 stands_by $device; done
within 60 answers

# By hand, there and back: who serves changes, and the guest notices nothing.
for _ in there back; do
	for device in root net0 console; do
		before=$(serves $device) last=$(writer_last)
		rc 0 cmdpartctl io failover writer $device
		other() { [[ $(serves "$device") && $(serves "$device") != "$before" ]]; }
		within 20 other
		within 20 stands_by $device
	done
	within 60 writer_advanced "$last"
	within 20 answers
done
[ "$(cmdpartctl history writer/root --json | jq length)" -gt 0 ]
rc 3 cmdpartctl io failover writer disk9
said 'writer has no device disk9'
rc 2 cmdpartctl io fail writer root
rc 3 cmdpartctl io failover nobody root

# What the host has lost is told, and made anew under the guest.
tap=$(cmdpartctl show writer --json | jq -r '.devices[] | select(.name == "net0") | .tap')
ip link delete "$tap"
rc 9 cmdpartctl verify
if answers; then fail "it answers without a tap"; fi
rc 0 cmdpartctl io reset writer net0
rc 0 cmdpartctl verify
bridge_up
within 30 answers
rc 0 cmdpartctl io reset writer root
last=$(writer_last)
within 60 writer_advanced "$last"

# Its domain: it grows and shrinks around what runs.
domain=$(cmdpartctl domain --json | jq -c '.domains[] | select(.name == "default")')
restore() { cmdpartctl domain set default memory="$(($(jq .memory <<<"$domain") / 1048576))MiB" cpus="$(jq -r .cpus <<<"$domain")"; }
later restore
last_cpu=$(jq -r .cpus <<<"$domain" | sed 's/.*[-,]//')
rc 0 cmdpartctl domain set default memory=512MiB
[ "$(cmdpartctl domain --json | jq '.domains[] | select(.name == "default").memory')" = $((512 << 20)) ] || fail "not changed"
rc 5 cmdpartctl domain set default memory=128MiB
said 'its partitions have 256 ?MiB'
rc 4 cmdpartctl domain set default cpus="$last_cpu-$last_cpu"
said 'partition writer may run on it|of domain default'
rc 2 cmdpartctl domain set default size=3
said 'cpus, memory, frame_ms, phase_us'
rc 3 cmdpartctl domain set nowhere memory=512MiB

# Another domain, for a partition that is off: and with its making in one list, or not at all.
guests+=(moving)
jq '.name = "moving" | .devices = [] | .memory = "128MiB"' "$work/writer.json" >"$work/moving.json"
free_cpu=$(cmdpartctl host --json | jq -r --arg d default '[.processors[] | select(.domain == $d and .contexts == 0)][-1].cpu')
jq -n --slurpfile d "$work/moving.json" --arg cpus "$(jq -r .cpus <<<"$domain")" --arg free "$free_cpu" '[
	{ define: $d[0] }, { "set": { partition: "moving", domain: "batch" } } ]' >"$work/none.json"
rc 3 cmdpartctl transact "$work/none.json"
said 'no domain is named batch'
rc 3 cmdpartctl show moving
keep=$(cmdpartctl host --json | jq -r --argjson f "$free_cpu" '[.processors[] | select(.domain == "default" and .cpu != $f).cpu] | map(tostring) | join(",")')
jq -n --slurpfile d "$work/moving.json" --arg keep "$keep" --arg free "$free_cpu" '[ { define: $d[0] },
	{ "set-domain": { name: "default", cpus: $keep } }, { "create-domain": { name: "batch", cpus: $free, memory: "256MiB" } },
	{ "set": { partition: "moving", domain: "batch" } }, { start: "moving" } ]' >"$work/all.json"
rc 0 cmdpartctl transact "$work/all.json"
within 60 state_is moving running
[ "$(cmdpartctl show moving --json | jq -r '.domain + " " + .contexts[0].cpus')" = "batch $free_cpu" ] || fail "$(cmdpartctl show moving)"
rc 4 cmdpartctl set moving domain=default
said 'while it is off'
rc 0 cmdpartctl kill moving
rc 0 cmdpartctl set moving domain=default
[ "$(cmdpartctl show moving --json | jq -r .domain)" = default ]
rc 0 cmdpartctl domain destroy batch
rc 0 cmdpartctl undefine moving
rc 0 cmdpartctl verify
writer_whole cmdpartctl kill writer
