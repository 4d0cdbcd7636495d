#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# guest-init.sh: PID 1 of a test guest: busybox, Debian's own modules, one script of the test.
#
# /init.sh, if the test gave one, has the console; when it returns the guest stays up, as a
# server does, until the power button. Without one there is a shell on the console.
export PATH=/bin:/sbin HOME=/ TERM=linux

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /tmp /run
mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /tmp
# shellcheck disable=SC2046 # a list
modprobe -a $(cat /etc/modules)
ip link set lo up 2>/dev/null

(
	powerbtn || exit
	echo "guest: power button"
	sync
	umount -a -r 2>/dev/null
	poweroff -f
) </dev/null >/dev/console 2>&1 &

if [ -e /init.sh ]; then
	# The leader of the terminal's session never ends: Linux would then throw away what the
	# serial port has not yet sent, which is often the script's last line.
	# shellcheck disable=SC2016 # for the inner shell
	setsid cttyhack sh -c 'sh /init.sh
		echo "guest: /init.sh ended with status $?"
		while :; do sleep 3600; done'
fi
while :; do
	setsid cttyhack sh
done
