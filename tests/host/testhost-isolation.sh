#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: of all that a command in the test host writes, only what is in APPLIANCE_OUT reaches this machine, from a repository beneath /tmp as well
# where: host
# timeout: 300
. "$(dirname "$0")/lib.sh"

another_repository "$tmp/repository"
mkdir "$tmp/elsewhere"
cd "$tmp/elsewhere"
echo original >file
mark=uv-isolation-$$
later "rm -f /etc/$mark /var/$mark '$HOME/$mark'"

cat >script <<END
set -e
for dir in . "$tmp" "$tmp/repository" "$tmp/repository/build" /etc /var /root /tmp /run; do
	echo changed >"\$dir/$mark"
done
echo changed >file
rm script
mkdir -p "\$APPLIANCE_OUT/folder"
echo kept >"\$APPLIANCE_OUT/folder/file"
END
"$tmp/repository/scripts/appliance" --no-daemons -- bash -e ./script </dev/null ||
	fail "the test host refused to be written to"
is "the caller's file" "$(cat file)" original
[ -e script ] || fail "a removed file is gone here, too"
for dir in . "$tmp" "$tmp/repository" "$tmp/repository/build" /etc /var "$HOME" /tmp /run; do
	[ ! -e "$dir/$mark" ] || fail "$dir/$mark was written on this machine"
done
is "the file shared back" "$(cat "$tmp/repository/build/out/folder/file")" kept

mkdir "$tmp/mine"
APPLIANCE_OUT=$tmp/mine "$tmp/repository/scripts/appliance" --no-daemons -- \
	bash -c 'echo kept >$APPLIANCE_OUT/file' </dev/null
is "the file in a folder of my own" "$(cat "$tmp/mine/file")" kept
[ -s "$tmp/mine/log/kernel.log" ] || fail "no kernel log came back"
