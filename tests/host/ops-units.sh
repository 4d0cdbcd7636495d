#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: make install puts programs, units and friends where systemd looks, and systemd-analyze verify has nothing to say about the units
# where: host
# timeout: 120
. "$(dirname "$0")/lib.sh"

need systemd-analyze make
make -C "$repo" --no-print-directory install DESTDIR="$tmp/root" >"$tmp/install" 2>&1 ||
	fail "make install: $(tail -n 5 "$tmp/install")"
lib=$tmp/root/usr/lib
for file in sbin/uvd sbin/uvmonitor sbin/cmdpartd sbin/iopartd sbin/opsd bin/cmdpartctl bin/opsctl \
	lib/modules-load.d/ultravisor.conf lib/sysusers.d/ultravisor.conf \
	lib/tmpfiles.d/ultravisor.conf lib/udev/rules.d/90-ultravisor.rules; do
	[[ -s $tmp/root/usr/$file ]] || fail "/usr/$file is not installed"
done

# The programs are where the units name them, under another root: in these copies they name that.
mkdir "$tmp/units"
for unit in "$lib"/systemd/system/*; do
	sed -E "s,^(Exec(Start|Stop)=-?)/usr,\1$tmp/root/usr," "$unit" >"$tmp/units/${unit##*/}"
done
cp "$tmp/units/iopartd@.service" "$tmp/units/iopartd@a.service"
cp "$tmp/units/iopartd@.service" "$tmp/units/iopartd@b.service"
rm "$tmp/units/iopartd@.service"
systemd-analyze verify "$tmp"/units/* >"$tmp/out" 2>&1 || fail "$(cat "$tmp/out")"
[[ ! -s $tmp/out ]] || fail "$(cat "$tmp/out")"

# Each daemon notifies, is watched, comes back at once, and gains nothing.
for unit in "$tmp"/units/*.service; do
	# This one is no daemon.
	[[ $unit != */ultravisor-guests.service ]] || continue
	for line in Type=notify 'WatchdogSec=[0-9]+' Restart=always 'RestartSec=[0-9]+ms' \
		NoNewPrivileges=yes 'CapabilityBoundingSet=.+' 'SystemCallFilter=.+' \
		StartLimitIntervalSec=0; do
		has "$unit" "^$line$"
	done
done
has "$tmp/units/uvd.service" '^KillMode=process$'
systemd-sysusers --dry-run "$lib/sysusers.d/ultravisor.conf" >/dev/null 2>&1 ||
	fail "systemd-sysusers does not take its file"
