#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: wherever in a transaction uvd is killed, and once more while it starts again, the request is done once when it is repeated, and book, kernel, processes and devices agree, with the module and guests that run
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 5400
#
# The program that is killed is uvd, built with the instants named in its source. PART=N: a seeded Nth of it.
# shellcheck disable=SC2154 # tmp is of lib.sh
source "$(dirname "$0")/../host/lib/guest.bash"

part=${PART:-1} seed=${SEED:-1} RANDOM=${SEED:-1}
echo "seed: $seed"
crash=/run/ultravisor/crash
points=(received operation-applied applied operation-prepared prepared in-ledger committing committed object-published
	operation-published object-destroyed tap-removed published replying replied)
again=(reconciling in-line reconciled committed none)

uvd() { pgrep -o -x uvd; }
restart() { # COMMAND…: with uvd stopped; it starts again
	kill -STOP "$(uvd)"
	"$@"
	kill -9 "$(uvd)"
	within 30 cmdpartctl list
}
# A transaction of cmdpartd's own might pass the instant that is meant for another.
fail_back 0
program=$repository/build/bin/uvd
restart mount --bind "$repository/build/tests/long/uvd-crash" "$program"
ends() { rm -f $crash $crash.next; restart umount -l "$program"; }
later ends

# shellcheck disable=SC2016 # the guest expands it
initrd 6.1-cloud 'n=0; while :; do n=$((n + 1)); echo "guest: at $n."; sleep 1; done'
disk web 16M
definition web 6.1-cloud 1 128MiB disk net console
definition other 6.1-cloud 1 128MiB disk
cp "$work/web.raw" "$work/other.raw"
cmdpartctl define "$work/web.json"
cmdpartctl define "$work/other.json"
domain=$(cmdpartctl domain --json | jq -c '.domains[] | select(.name == "default")')
cpus=$(cmdpartctl host --json | jq -r '[.processors[] | select(.domain == "default").cpu]')
most=$(jq -r '.[:-1] | map(tostring) | join(",")' <<<"$cpus") last=$(jq -r '.[-1]' <<<"$cpus")
all=$(jq -r .cpus <<<"$domain")

passed=0 not=0
declare -A ever

attached() {
	cmdpartctl show web --json | jq -e '[.channels[] | select(.device | IN("root", "net0", "console"))] | length == 3 and
		all(.servers | any(.state == "serving") and any(.state == "standby"))' >/dev/null
}
agrees() { cmdpartctl verify >"$work/verify" 2>&1; }
# Done, refused, or to be asked again.
status=0
answered() {
	status=0
	cmdpartctl "$@" --request-id "$id" --json >"$work/out" 2>"$work/error" || status=$?
	((status != 7 && status != 8))
}
done_by() { jq -r 'if .transaction > 0 then .transaction else "so" end' "$work/out"; }

# one POINT AGAIN COMMAND…: it is given, uvd is killed at the point, and the next one at another
one() {
	local point=$1 next=$2 first last
	shift 2
	[[ $next == none ]] || echo "$next 1" >$crash.next
	echo "$point 1" >$crash
	id=$(</proc/sys/kernel/random/uuid)
	within 60 answered "$@"
	((status == 0)) || fail "$* at $point: $status: $(<"$work/error")"
	first=$(done_by)
	if [[ -e $crash && $(<$crash) == "$point 1" ]]; then
		not=$((not + 1))
	else
		passed=$((passed + 1)) ever[$point]=1
	fi
	# The instance after it may not have come by there.
	rm -f $crash $crash.next
	within 60 answered "$@"
	((status == 0)) || fail "$* at $point, asked again: $status: $(<"$work/error")"
	last=$(done_by)
	[[ $first == so || $last == so || $first == "$last" ]] || fail "$* at $point: transaction $first, and again $last"
	within 60 agrees
}

# matrix NAME BEFORE BEHIND COMMAND…: at each point; BEFORE and BEHIND are without a crash
matrix() {
	local name=$1 before=$2 behind=$3 point
	shift 3
	for point in "${points[@]}"; do
		((RANDOM % part == 0)) || continue
		eval "$before" >"$work/before" 2>&1 || fail "$name: before $point: $(<"$work/before")"
		one "$point" "${again[RANDOM % ${#again[@]}]}" "$@"
		eval "$behind" >"$work/behind" 2>&1 || fail "$name: behind $point: $(<"$work/behind")"
	done
	echo "$name: $passed times killed so far, $not points not passed"
}
is_on() { within 60 state_is web running && within 60 attached; }
is_off() { within 60 state_is web defined; }
off() { cmdpartctl kill web && is_off; }
on() { cmdpartctl start web --timeout 60 && is_on; }
tap() { cmdpartctl show web --json | jq -r '.devices[] | select(.name == "net0").tap'; }
of_domain() { [[ $(cmdpartctl show other --json | jq -r .domain) == "$1" ]]; }
gone() { ! cmdpartctl show other; }
there_is_batch() { cmdpartctl domain | grep batch || cmdpartctl domain create batch "$last" 256MiB; }
lose_tap() { is_on && ip link delete "$(tap)"; }

matrix define 'cmdpartctl undefine other' : define "$work/other.json"
define_other() { cmdpartctl define "$work/other.json"; }
matrix undefine define_other gone undefine other
cmdpartctl define "$work/other.json"
matrix 'set, off' 'cmdpartctl set other cpus.budget_ms=10 cpus.period_ms=100' : set other cpus.budget_ms=20 cpus.period_ms=100
cmdpartctl domain set default cpus="$most" memory=768MiB
put_back() { cmdpartctl domain set default cpus="$all" memory="$(($(jq .memory <<<"$domain") / 1048576))MiB"; }
later put_back
cmdpartctl domain create batch "$last" 256MiB
matrix 'domain create' 'cmdpartctl domain destroy batch' : domain create batch "$last" 256MiB
matrix 'domain set' 'cmdpartctl domain set batch memory=128MiB' : domain set batch memory=256MiB
matrix 'domain assign' 'cmdpartctl set other domain=default' 'of_domain batch' set other domain=batch
cmdpartctl set other domain=default
matrix 'domain destroy' there_is_batch : domain destroy batch
on
matrix start off is_on start web --no-wait
matrix pause 'cmdpartctl resume web' 'state_is web paused' pause web
matrix resume 'cmdpartctl pause web' 'state_is web running' resume web
matrix 'set, on' 'cmdpartctl set web cpus.budget_ms=10 cpus.period_ms=100' : set web cpus.budget_ms=20 cpus.period_ms=100
matrix failover is_on is_on io failover web root
matrix reset lose_tap is_on io reset web net0
matrix stop is_on 'off && on' stop web --no-wait
matrix kill on is_off kill web
cmdpartctl host stop
matrix 'host stop' 'cmdpartctl host start' : host stop
matrix 'host start' 'cmdpartctl host stop' : host start
# Of each name one operation at least has come by there.
((part > 1)) || for point in "${points[@]}"; do
	[[ ${ever[$point]-} ]] || fail "no operation has passed $point"
done
echo "count: $passed pairs of operation and point, each with another kill at the restart; $not not passed"
