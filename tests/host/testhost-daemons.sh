#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the test host starts the daemons in order, each when the one before is ready, restarts one that dies within 2 s, and stops them in reverse order
# where: host
# timeout: 300
. "$(dirname "$0")/lib.sh"

another_repository "$tmp/repository"
export APPLIANCE_OUT=$tmp/result

# Stand-ins; opsd is missing, and cmdpartd takes its time.
for name in uvd cmdpartd iopartd; do
	cat >"$tmp/repository/build/bin/$name" <<-'END'
	#!/bin/bash
	me="$(basename "$0")$2"
	say() { echo "$me $*" >>/var/lib/ultravisor/story; echo "$me $*"; }
	trap 'say stops; exit 0' TERM
	say starts
	echo $$ >"/run/$me.pid"
	[ "$me" != cmdpartd ] || sleep 1
	say ready
	systemd-notify --ready
	while :; do sleep 0.1; done
	END
	chmod 755 "$tmp/repository/build/bin/$name"
done

cat >"$tmp/script" <<'END'
set -e
cp /var/lib/ultravisor/story "$APPLIANCE_OUT/story"
old=$(cat /run/uvd.pid)
begin=${EPOCHREALTIME/[.,]/}
for i in 1 2 3 4 5; do bash -c :; done
start=$(((${EPOCHREALTIME/[.,]/} - begin) / 5000))
begin=${EPOCHREALTIME/[.,]/}
kill -KILL "$old"
until read -r new </run/uvd.pid && [ "$new" != "$old" ]; do sleep 0.02; done
echo $(((${EPOCHREALTIME/[.,]/} - begin) / 1000)) $start
until [ "$(grep -c "uvd ready" /var/lib/ultravisor/story)" -eq 2 ]; do sleep 0.02; done
END
cd "$tmp"
status_is 0 "$tmp/repository/scripts/appliance" -- bash ./script
has "$tmp/err" 'opsd: not built, skipped'
diff - "$tmp/result/story" <<-END || fail "not started in order"
uvd starts
uvd ready
cmdpartd starts
cmdpartd ready
iopartda starts
iopartda ready
iopartdb starts
iopartdb ready
END
read -r took start <"$tmp/out"
# Less than 50 ms on a machine that is not too busy.
allowed=$((start > 50 ? 2000 * start / 50 : 2000))
echo "a killed daemon was started again after $took ms; a program starts in $start ms, so $allowed ms are allowed"
[ "$took" -lt "$allowed" ] || fail "the restart took too long"
is "the logs" "$(cd "$tmp/result/log" && echo *d*.log)" "cmdpartd.log dmesg.log iopartd-a.log iopartd-b.log uvd.log"
is "uvd's log" "$(tr '\n' , <"$tmp/result/log/uvd.log")" "uvd starts,uvd ready,uvd starts,uvd ready,uvd stops,"
