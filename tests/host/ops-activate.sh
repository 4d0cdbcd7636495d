#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: opsctl activate starts a real guest through opsd and the resource service and names the transaction; again it changes nothing; what does not fit is refused with the host's reason; deactivate powers it off cleanly
# where: appliance
# appliance:
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"
# shellcheck disable=SC2034 # read by lib/guest.bash
work=/var/lib/ultravisor/images/ops-activate
mkdir -p "$work"

# shellcheck disable=SC2154 # tmp is of lib.sh
says() { grep -q -- "$1" "$tmp/$2" || fail "$2 does not say '$1': $(cat "$tmp/$2")"; }
word() { opsctl show ops1 --json | jq -r ".partition.$1"; }

within 30 sh -c 'opsctl host list | grep >/dev/null " up "'
initrd 6.1-cloud 'echo "guest: ready"'
disk ops1 64M
definition ops1 6.1-cloud 1 192MiB disk console

# The steps, in order, and the end.
status_is 0 opsctl activate "$work/ops1.json"
cat "$tmp/out"
says 'opsd claimed .* and asks its resource service' out
says 'committed transaction [0-9]*: ops1 starts' out
[[ $(tail -n 1 "$tmp/out") == *"ops1 is running on "* ]] || fail "the last line is not its end"
number=$(sed -n 's/.*committed transaction \([0-9]*\).*/\1/p' "$tmp/out")
cmdpartctl ledger --json | jq -e ".ledger[] | select(.transaction == $number and .status == \"ok\")" >/dev/null ||
	fail "transaction $number is not in the ledger"
[[ $(word desired) == active && $(word state) == running ]] || fail "opsctl show: $(opsctl show ops1)"
within 60 console_has ops1 "guest: ready"

# Again: nothing to do, and no transaction.
before=$(cmdpartctl ledger --json | jq '.ledger[-1].transaction')
status_is 0 opsctl activate ops1
says 'is running on .* already' out
[[ $(cmdpartctl ledger --json | jq '.ledger[-1].transaction') == "$before" ]] || fail "a transaction for nothing"
status_is 4 opsctl undefine ops1
says 'opsctl deactivate ops1' err

# What does not fit: 5, the host and its numbers; nothing remains.
sed 's/ops1/giant/g; s/"192MiB"/"1TiB"/; s/giant.raw/ops1.raw/' "$work/ops1.json" >"$work/giant.json"
status_is 5 opsctl activate "$work/giant.json"
says 'no host takes giant' err
says '1 TiB of memory asked' err
status_is 5 opsctl --json activate "$work/giant.json"
[[ $(jq -r '.code, .details.hosts[0].rule' "$tmp/err" | xargs) == 'resources memory' ]] || fail "$(cat "$tmp/err")"
status_is 3 opsctl show giant
status_is 3 cmdpartctl show giant
# What its host alone can see: an image that another guest has.
sed 's/"ops1"/"thief"/' "$work/ops1.json" >"$work/thief.json"
have=0
opsctl activate "$work/thief.json" >"$tmp/out" 2>"$tmp/err" || have=$?
((have)) || fail "two guests have one image"
says 'refused' out
says 'ops1.raw' err
status_is 3 opsctl show thief
status_is 3 cmdpartctl show thief

# Bad input names file and key.
sed 's/"memory"/"memroy"/' "$work/ops1.json" >"$work/typo.json"
status_is 2 opsctl activate "$work/typo.json"
says 'typo.json' err
says 'memroy' err
status_is 3 opsctl activate nobody
status_is 2 opsctl activate
status_is 2 opsctl explode
status_is 7 opsctl --socket /run/ultravisor/nowhere.sock list

status_is 0 opsctl deactivate ops1
cat "$tmp/out"
[[ $(word desired) == inactive && $(word state) == defined ]] || fail "opsctl show: $(opsctl show ops1)"
status_is 0 opsctl deactivate ops1
e2fsck -fn "$work/ops1.raw" >/dev/null || fail "the file system is damaged"
cmdpartctl host --json | jq -e '.memory.assigned == 0' >/dev/null || fail "memory is still assigned"
status_is 0 opsctl undefine ops1
status_is 3 cmdpartctl show ops1
opsctl events ops1 | grep >/dev/null 'removed the definition' || fail "opsctl events"
