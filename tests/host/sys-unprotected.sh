#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: on builds without the protections any user gets the command channel from uvd's socket, and an operator uses files that policy forbids; with them neither does
# where: host
# timeout: 420
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib/weaken.bash"

# The attacks, inside a test host whose daemons are the build's: prints how far each came.
mkdir "$tmp/out"
cat >"$tmp/out/attack" <<'END'
work=/var/lib/ultravisor/attack
mkdir -p "$work" && chmod 755 "$work"
echo secret >"$work/secret"
printf '{ "name": "own", "cpus": { "count": 1 }, "memory": "64MiB", "boot": { "kernel": "%s" } }' \
	"$work/secret" >"$work/own.json"
status=0
setpriv --reuid 12345 --regid ultravisor --clear-groups cmdpartctl define "$work/own.json" >&2 || status=$?
echo "operator: $status"
build/tests/host/uvd/uvcommand say nobody 1 2>&1 | grep >/dev/null 'refused: this user' &&
	echo "nobody: refused" || echo "nobody: served"
END
attack() {
	APPLIANCE_OUT=$tmp/out "$1/scripts/appliance" --timeout 120 -- bash "$tmp/out/attack" </dev/null >"$tmp/said" ||
		fail "the test host of $1 failed"
	cat "$tmp/said"
}
cd "$repo"
attack "$repo"
has "$tmp/said" "^operator: 6$"
has "$tmp/said" "^nobody: refused$"

weaken_copy "$repo/build/unprotected-host" Makefile Kbuild scripts testhost systemd common include libchannel monitor \
	iopartd uvd cmdpartd cmdpartctl opsd opsctl kmod tests/host
mkdir -p "$work/build"
cp -a "$repo/build/obj" "$repo/build/bin" "$repo/build/kmod" "$work/build/"
ln -s "$repo/build/kernels" "$work/build/kernels"
weaken uvd/handover.c '	else
		return -EPERM;' '	else
		snprintf(c->who.name, sizeof(c->who.name), "command");'
weaken cmdpartd/call.c 'access_of(&service->access, http) == ACCESS_ADMIN' 'access_of(&service->access, http) >= ACCESS_OPERATOR'
make -j2 -C "$work" all build/tests/host/uvd/uvcommand >"$tmp/build.log" 2>&1 ||
	{ tail -n 20 "$tmp/build.log" && fail "the unprotected programs do not build"; }
cd "$work"
attack "$work"
has "$tmp/said" "^operator: 0$"
has "$tmp/said" "^nobody: served$"
