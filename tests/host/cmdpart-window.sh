#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: guests with windows share one CPU of a domain, each in its own place of the frame; what does not fit is refused before anything is done, with what would fit; budgets and windows change while a guest runs; real-time budgets are admitted up to 90 %
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 300
source "$(dirname "$0")/lib/guest.bash"

later_domains() {
	for name in "${guests[@]}"; do
		timeout 20 cmdpartctl kill "$name" >/dev/null 2>&1
		timeout 20 cmdpartctl undefine "$name" >/dev/null 2>&1
	done
	cmdpartctl domain destroy rt >/dev/null 2>&1
}
# The usual domain has all CPUs: make room for another one, and give them back.
cmdpartctl domain --json | jq -e '.domains[0].name == "default"' >/dev/null
cpus=$(cmdpartctl domain --json | jq -r '.domains[0].cpus')
memory=$(cmdpartctl domain --json | jq -r '.domains[0].memory')
last=${cpus##*[-,]}
restore() {
	later_domains
	cmdpartctl domain destroy default >/dev/null 2>&1
	cmdpartctl domain create default "$cpus" "$((memory / 1048576))MiB" >/dev/null
}
later restore

initrd 6.1-cloud 'echo "guest: ready"
while :; do :; done'
for name in a b c r1 r2; do definition "$name" 6.1-cloud 1 128MiB console; done
# change NAME JSON
change() { jq ".domain = \"rt\" | .cpus = $2" "$work/$1.json" >"$work/new" && mv "$work/new" "$work/$1.json"; }
change a '{ count: 1, mode: "window", window_us: 8000 }'
change b '{ count: 1, mode: "window", window_us: 4000 }'
change c '{ count: 1, mode: "window", window_us: 8000 }'
change r1 '{ count: 1, budget_ms: 20, period_ms: 100, realtime: true }'
change r2 '{ count: 1, budget_ms: 60, period_ms: 100, realtime: true }'
refused() {
	local want=$1 words=$2 status=0
	shift 2
	"$@" >"$work/out" 2>"$work/error" || status=$?
	((status == want)) || fail "$*: exit code $status, not $want: $(cat "$work/out" "$work/error")"
	grep -q -- "$words" "$work/error" || fail "$*: no '$words' in: $(cat "$work/error")"
}
context() { cmdpartctl show "$1" --json | jq -r ".contexts[0].$2"; }

cmdpartctl domain destroy default
cmdpartctl domain create default "1-$((last - 1))" 256MiB
cmdpartctl domain create rt "$last" 768MiB 20
cmdpartctl domain
for name in a b c r1 r2; do cmdpartctl define "$work/$name.json"; done
cmdpartctl start a
cmdpartctl start b
cmdpartctl plan c && fail "8 + 4 + 8 of 18 ms fit"
refused 5 'longest window that fits' cmdpartctl start c
refused 5 'free 5999 us' cmdpartctl start c
cmdpartctl show a
[[ $(context a window_start_us) == 0 && $(context b window_start_us) == 8000 ]] ||
	fail "a at $(context a window_start_us), b at $(context b window_start_us)"
[[ $(context a cpus) == "$last" && $(context b cpus) == "$last" ]] || fail "not on one CPU"
within 60 state_is a running
within 60 state_is b running
within 90 console_has a 'guest: ready'
within 90 console_has b 'guest: ready'

# Both spin: each gets its part of the CPU, whatever the other wants.
cmdpartctl top --interval 5 --json >"$work/top"
jq -r '.contexts[] | "\(.partition) \(.cpu_percent) \(.windows)"' "$work/top"
jq -e '[.contexts[] | select(.windows > 100)] | length == 2' "$work/top" >/dev/null || fail "no windows: $(cat "$work/top")"
jq -e '(.contexts[] | select(.partition == "a") | .cpu_percent) as $a |
	(.contexts[] | select(.partition == "b") | .cpu_percent) as $b |
	$a < 60 and $b < 38 and $a > $b' "$work/top" >/dev/null || fail "not their parts: $(cat "$work/top")"

# Changes while it runs: a shorter window makes room, and nothing but time can be set.
refused 2 'cannot be changed' cmdpartctl set a memory=1GiB
refused 2 'cannot be changed' cmdpartctl set a cpus.mode=shared
refused 5 'longest window' cmdpartctl set a cpus.window_us=15000
cmdpartctl plan a cpus.window_us=3000
[[ $(context a window_us) == 8000 ]] || fail "a plan changed it"
pid=$(cmdpartctl show a --json | jq .pid)
cmdpartctl set a cpus.window_us=3000
cmdpartctl set a cpus.window_us=3000 | grep already >/dev/null || fail "not so already"
[[ $(context a window_us) == 3000 && $(cmdpartctl show a --json | jq .pid) == "$pid" ]] || fail "$(cmdpartctl show a)"
cmdpartctl top --interval 5 --json >"$work/top"
jq -e '.contexts[] | select(.partition == "a") | .cpu_percent < 30' "$work/top" >/dev/null || fail "still more: $(cat "$work/top")"
cmdpartctl start c
[[ $(context c window_start_us) == 12000 ]] || fail "c at $(context c window_start_us)"
cmdpartctl kill c

# uvd dies and comes back: the module has what the book says.
kill -KILL "$(pgrep -x uvd)"
within 20 state_is a running
[[ $(context a window_us) == 3000 ]] || fail "another window after the restart"
cmdpartctl kill b
cmdpartctl start r1
# 3 of 20 ms and 20 of 100 are 35 %: 60 more do not fit.
refused 5 'rule realtime' cmdpartctl start r2
refused 5 'free 55.0 %' cmdpartctl start r2
cmdpartctl set r1 cpus.budget_ms=10
cmdpartctl start r2
cmdpartctl set r1 cpus.realtime=false
[[ $(context r1 realtime) == false ]] || fail "still in real time"
for name in a r1 r2; do cmdpartctl kill "$name"; done
