#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: operations reach uvd by the command channel alone: a trace of all that it reads from any socket, pipe or file during a guest's life has no operation in it, its socket takes nothing but HELLO, and other users are turned away
# where: appliance
# appliance: --no-daemons
# timeout: 200
. "$(dirname "$0")/lib/uvd.bash"

need strace
guest 'echo "guest: begins"'
start_all
status_is 0 uvcommand domain default 1 512MiB

# What comes in by system calls, with all of its bytes. What comes by channel memory makes none.
strace -y -xx -s 300000 -o "$tmp/trace" -e trace=read,pread64,readv,recvfrom,recvmsg,recvmmsg \
	-p "${pids[uvd]}" 2>"$tmp/strace.log" &
tracer=$!
within 10 grep -q attached "$tmp/strace.log"
status_is 0 define marked7 128MiB
status_is 0 start_guest marked7 128MiB
within 90 state_is marked7 3
status_is 0 uvcommand kill marked7
kill -TERM $tracer
wait $tracer || true
# Every message begins with this magic, "UCMD"; every operation of these names the partition.
magic='\\x55\\x43\\x4d\\x44'
name='\\x6d\\x61\\x72\\x6b\\x65\\x64\\x37'
calls=$(grep -c . "$tmp/trace")
[ "$calls" -gt 5 ] || fail "the trace is empty"
# uvd's own database has stored replies, and the name in its rows.
grep -v '/uvd\.db' "$tmp/trace" >"$tmp/foreign" || true
! grep -q "$magic" "$tmp/foreign" || fail "a message came by a system call: $(grep "$magic" "$tmp/foreign" | cut -c1-200)"
! grep -q "$name" "$tmp/foreign" || fail "an operation came by a system call: $(grep "$name" "$tmp/foreign" | cut -c1-200)"
is "operations by the command channel" "$(grep -c 'committed by test over the command channel' "$tmp/uvd.log")" 4
echo "$calls reads, none of them an operation"

# The socket: a message that is no HELLO, a second one, another user.
uvcommand say nobody 1 | tee "$tmp/say" | grep >/dev/null 'refused: this user is no system partition' || fail "$(cat "$tmp/say")"
uvcommand say root 1 | tee "$tmp/say" | grep >/dev/null 'refused: this user' || fail "$(cat "$tmp/say")"
uvcommand say ultravisor-command 9 | tee "$tmp/say" | grep >/dev/null 'refused: the first message must be HELLO' || fail "$(cat "$tmp/say")"
uvcommand say ultravisor-command 1 | tee "$tmp/say" | grep >/dev/null 'refused: nothing is to be said after HELLO' || fail "$(cat "$tmp/say")"
is "ledger" "$(sql "SELECT count(*) FROM ledger WHERE status <> 0")" 0
