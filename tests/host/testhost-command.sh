#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a command in the test host gets its words, directory, input and PATH unchanged, and its output and status come back
# where: host
# timeout: 400
. "$(dirname "$0")/lib.sh"

# Beneath /tmp on purpose: the test host's /tmp is its own, but this stays visible in it.
mkdir "$tmp/a folder"
cd "$tmp/a folder"
echo "a file of the caller" >file
export APPLIANCE_OUT=$tmp/result A_VARIABLE="two
lines"

words=('a b' '' "it's" '"' '$HOME' '*' '\' $'new\nline' '--' '-x' 'ä' $'tab\t')
cat >script <<'END'
printf '%s\0' "$@" >"$APPLIANCE_OUT/words"
pwd
cat file
echo "$A_VARIABLE"
echo "$PATH" | cut -d: -f1
id -un
read -r line && echo "read: $line"
wc -c
echo "an error" >&2
echo again >/dev/stdout
exit 42
END
status=0
{ echo "first line"; head -c 100000 /dev/zero; } |
	"$appliance" --no-daemons -- bash ./script "${words[@]}" >"$tmp/out" 2>"$tmp/err" || status=$?
is "the status" "$status" 42
printf '%s\0' "${words[@]}" | cmp - "$tmp/result/words" || fail "the words differ"
diff - "$tmp/out" <<END || fail "the output differs"
$tmp/a folder
a file of the caller
two
lines
$repo/build/bin
root
read: first line
100000
again
END
has "$tmp/err" '^an error$'
grep -q "an error" "$tmp/out" && fail "standard error came with standard output"

status_is 137 "$appliance" --no-daemons -- bash -c 'kill -KILL $$'
status_is 127 "$appliance" --no-daemons -- ./no-such-program
has "$tmp/err" 'no-such-program: No such file'

# A million lines, all of them and in order.
"$appliance" --no-daemons -- seq 1000000 2>/dev/null | cmp - <(seq 1000000) || fail "output was lost"

status_is 2 "$appliance" --no-daemons
status_is 2 "$appliance" --cpus two -- true
status_is 2 "$appliance" --no-such-option -- true
