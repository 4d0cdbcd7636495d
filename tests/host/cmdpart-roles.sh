#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: who may do what: strangers get nothing of cmdpartd and opsd, observers read, administrators do what root may, each refusal is in the log; operators use files below their directories only, by whatever path or link they name them, and opsd of a former epoch is refused
# where: appliance
# appliance: --cpus 2 --memory 2G
# timeout: 120
source "$(dirname "$0")/lib/guest.bash"

socket=/run/ultravisor/cmdpartd.sock
# The test host's own opsd shall lead again afterwards.
forget_epochs() {
	rm -f /var/lib/ultravisor/command/epoch.json
	kill -9 "$(pidof cmdpartd)"
	within 10 cmdpartctl list
}
later forget_epochs
images=/var/lib/ultravisor/images
mkdir -p "$images"
echo secret >"$work/secret"
chmod 755 "$work"
echo kernel >"$images/kernel"
ln -sf "$work/secret" "$images/link"

# as USER GROUP COMMAND…
as() { setpriv --reuid "$1" --regid "$2" --clear-groups "${@:3}"; }
operator() { as 12345 ultravisor "$@"; }
observer() { as 12347 ultravisor-observer "$@"; }
admin() { as 12348 ultravisor-admin "$@"; }
opsd() { as ultravisor-operations ultravisor "$@"; }

rc() {
	local want=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/error" || status=$?
	((status == want)) || fail "$*: exit code $status, not $want: $(cat "$work/out" "$work/error")"
}
definition_of() { # NAME KERNEL
	printf '{ "name": "%s", "cpus": { "count": 1 }, "memory": "64MiB", "boot": { "kernel": "%s" } }' "$1" "$2"
}

# Root's own definition may name any file; an operator's may not, and a link does not help.
definition_of own "$work/secret" >"$work/any.json"
definition_of own "$images/../../../../$work/secret" >"$work/dots.json"
definition_of own "$images/link" >"$work/link.json"
definition_of own "$images/kernel" >"$work/good.json"
definition_of own2 "$images/kernel" >"$work/good2.json"
definition_of own2 "$work/secret" >"$work/any2.json"

for ctl in cmdpartctl opsctl; do
	rc 6 as 12346 nogroup $ctl list
	grep -q 'ask root for one of the groups' "$work/error" || fail "a stranger: $(cat "$work/error")"
	rc 0 observer $ctl list
	rc 0 operator $ctl list
done
rc 0 observer cmdpartctl ledger
rc 6 observer cmdpartctl domain create mine 1 64MiB
rc 6 observer opsctl define "$work/good.json"
rc 6 observer cmdpartctl console own
for log in cmdpartd opsd; do
	grep 'refused to user 12346' /run/log/ultravisor/$log.log >/dev/null || fail "$log's log has no stranger"
	grep 'refused to user 12347.*observers may' /run/log/ultravisor/$log.log >/dev/null || fail "$log's log has no observer"
done

rc 0 cmdpartctl define "$work/any.json"
rc 0 cmdpartctl undefine own
for bad in any dots link; do
	rc 6 operator cmdpartctl define "$work/$bad.json"
	grep -q "may not use $work/secret" "$work/error" || fail "$bad: $(cat "$work/error")"
	grep -q "$images" "$work/error" || fail "$bad: the way out is missing"
done
rc 0 operator cmdpartctl define "$work/good.json"

# The protection that the links' resolving rests on: without it, a link put in later would do.
chmod 777 "$images"
rc 6 operator cmdpartctl define "$work/good2.json"
grep -q 'others than root may change' "$work/error" || fail "open directory: $(cat "$work/error")"
chmod 755 "$images"
rc 0 operator cmdpartctl define "$work/good2.json"
rc 6 operator cmdpartctl domain create mine 1 64MiB
grep -q 'ultravisor-admin' "$work/error" || fail "the way out is missing: $(cat "$work/error")"

# Who asked is in the ledger, and the payload cannot say otherwise.
cmdpartctl ledger --json | jq -e '.ledger[-1] | .who == "user 12345" and .uid == 12345' >/dev/null ||
	fail "ledger: $(cmdpartctl ledger | tail -2)"

rc 0 admin cmdpartctl policy reload
rc 0 admin cmdpartctl undefine own2
rc 0 admin cmdpartctl define "$work/any2.json"

# Epochs are opsd's; a former leader is refused, also after cmdpartd was killed.
post() { curl -s --max-time 20 --unix-socket "$socket" -X POST -d "$2" "http://localhost$1"; }
code() { jq -r '.code // "ok"'; }
is "an operator's epoch" "$(operator curl -s --unix-socket $socket -X POST -d '{"epoch":9}' http://localhost/v1/partitions/own/kill | code)" denied
opsd_post() { opsd curl -s --max-time 20 --unix-socket "$socket" -X POST -d "$2" "http://localhost$1"; }
is "no epoch yet" "$(opsd_post /v1/partitions/own/kill '{}' | code)" ok
is "epoch 5000" "$(opsd_post /v1/partitions/own/kill '{"epoch":5000}' | code)" ok
is "epoch 4999" "$(opsd_post /v1/partitions/own/kill '{"epoch":4999}' | code)" conflict
is "without epoch" "$(opsd_post /v1/partitions/own/kill '{}' | code)" conflict
kill -9 "$(pidof cmdpartd)"
within 10 cmdpartctl list
is "epoch 4999 after a restart" "$(opsd_post /v1/partitions/own/kill '{"epoch":4999}' | code)" conflict
is "epoch 5001" "$(opsd_post /v1/partitions/own/kill '{"epoch":5001}' | code)" ok
is "root needs none" "$(post /v1/partitions/own/kill '{}' | code)" ok

# No capability, no root, no new privilege, and a filter.
grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$(pidof cmdpartd)/status"
awk '$1 == "Uid:" && $2 == 0 || $1 ~ /^Cap/ && $2 !~ /^0+$/ || $1 == "NoNewPrivs:" && $2 != 1 ||
	$1 == "Seccomp:" && $2 != 2 { bad = 1 } END { exit bad }' "/proc/$(pidof cmdpartd)/status" || fail "privileges"
rm -f "$images/link" "$images/kernel"
cmdpartctl undefine own
cmdpartctl undefine own2
