#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: bad definitions and clients that send nonsense or nothing get an error that names file, key and reason, change nothing, and delay nobody
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 180
source "$(dirname "$0")/lib/guest.bash"

initrd 6.1-cloud 'echo "guest: ready"'
definition good 6.1-cloud 1 256MiB console
before=$(cmdpartctl list --json)

# refused CODE PATTERN JQ-EDIT: the good definition, edited, is refused with this exit code and text
refused() {
	local code=$1 pattern=$2 edit=$3 status=0
	jq "$edit" "$work/good.json" >"$work/bad.json"
	cmdpartctl define "$work/bad.json" 2>"$work/error" || status=$?
	((status == code)) || fail "$edit: exit code $status, not $code: $(cat "$work/error")"
	grep -qE -- "$pattern" "$work/error" || fail "$edit: no /$pattern/ in: $(cat "$work/error")"
}

refused 2 'colour' '.colour = "red"'
refused 2 'cpus.*count' '.cpus.count = "two"'
refused 2 'cpus.*count' '.cpus.count = 0'
refused 2 'memory' '.memory = "0MiB"'
refused 2 'memory' '.memory = "12 elephants"'
refused 2 'name' '.name = ("x" * 200)'
refused 2 'name' 'del(.name)'
refused 2 'version' '.version = 7'
refused 2 'devices.*type' '.devices[0].type = "gpu"'
refused 2 'mode' '.cpus.mode = "sometimes"'
refused 2 'boot.kernel.*no-such-kernel' '.boot.kernel = "no-such-kernel"'
refused 2 'no-such-image' '.devices[1] = { type: "block", name: "root", path: "no-such-image" }'

status=0
head -c 104857600 /dev/zero | tr '\0' ' ' >"$work/huge.json"
cmdpartctl define "$work/huge.json" 2>"$work/error" || status=$?
((status == 2)) || fail "100 MiB: exit code $status"
grep -q huge.json "$work/error" || fail "100 MiB: the file is not named: $(cat "$work/error")"

status=0
cmdpartctl start nobody 2>"$work/error" || status=$?
((status == 3)) || fail "start of an unknown partition: exit code $status"
status=0
cmdpartctl frobnicate 2>"$work/error" || status=$?
((status == 2)) || fail "unknown command: exit code $status"

# Not a kernel: found when it is started, said in words, and nothing is held afterwards.
head -c 65536 /dev/urandom >"$work/noise"
jq '.boot.kernel = "noise" | del(.boot.initrd)' "$work/good.json" >"$work/noise.json"
cmdpartctl define "$work/noise.json"
cmdpartctl start good || true
within 15 state_is good failed
cmdpartctl show good --json | jq -r .reason | grep >/dev/null -i kernel || fail "the reason does not name the kernel"
cmdpartctl undefine good

# Clients that connect and say nothing, or half of something, or noise; others are served meanwhile.
for socket in /run/ultravisor/*.sock; do
	for _ in 1 2 3 4; do
		(sleep 20 | timeout 20 socat - "UNIX-CONNECT:$socket" >/dev/null 2>&1) &
		(printf 'POST /v1/partitions HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{"na'; sleep 20) |
			timeout 20 socat - "UNIX-CONNECT:$socket" >/dev/null 2>&1 &
		head -c 100000 /dev/urandom | timeout 20 socat - "UNIX-CONNECT:$socket" >/dev/null 2>&1 &
	done
done
sleep 1
for _ in 1 2 3 4 5; do
	begin=${EPOCHREALTIME/./}
	timeout 5 cmdpartctl list >/dev/null || fail "list does not answer beside silent clients"
	timeout 5 opsctl list >/dev/null || fail "opsctl does not answer beside silent clients"
	printf 'list and opsctl list: %d ms\n' $(((${EPOCHREALTIME/./} - begin) / 1000))
done
[[ $(cmdpartctl list --json) == "$before" ]] || fail "the list of partitions has changed"
