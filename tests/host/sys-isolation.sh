#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: with two guests on two I/O partitions, a hostile one reaches no byte of a guest that it does not serve, by mmap, ioctl, /proc/PID/mem, stolen descriptors or guessed ids; once it serves, it does, and if it had stayed root it would reach devices and processes
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 240
source "$(dirname "$0")/lib/guest.bash"

# What the build left, in the overlay of this test host; put back at the end.
iopartd=$(command -v iopartd)
cp -p "$iopartd" "$work/iopartd"
restore() {
	rm -f "$iopartd"
	cp -p "$work/iopartd" "$iopartd"
	pkill -KILL -f 'iopartd --instance' || true
	sleep 2
	rm -rf /run/intruder
}
later restore
install_intruder() {
	rm -f "$iopartd"
	cp "$repository/build/tests/host/sys/intruder" "$iopartd"
}
# The intruder is not to serve before it is meant to.
fail_back 0
mkdir -p /run/intruder && chmod 1777 /run/intruder

initrd 6.1-cloud 'mount -t ext4 /dev/vda /mnt; echo "guest: ready"
( n=0; while :; do n=$((n + 1)); dd if=/dev/urandom of=/mnt/f bs=64k count=4 conv=fsync 2>/dev/null; echo "guest: wrote $n"; sleep 1; done ) &'
for name in one two; do
	disk $name 64M
	definition $name 6.1-cloud 1 256MiB disk console
	cmdpartctl define "$work/$name.json"
	cmdpartctl start $name
done
for name in one two; do within 60 console_has $name "guest: wrote 1"; done

field() { sed "s/.*\b$2 \([0-9]*\).*/\1/" "/run/intruder/$1"; }
report() { cat "/run/intruder/$1"; }

# The intruder takes the place of instance b. Its devices went to a when the real b died.
install_intruder
pkill -KILL -f 'iopartd --instance b'
within 20 test -s /run/intruder/b
within 20 eval '(($(field b endpoints) >= 4))'
sleep 2
report b
(($(field b serving) == 0)) || fail "the intruder serves, where a standby was wanted"
for way in areas memory device guessed processes; do
	(($(field b $way) == 0)) || fail "the intruder reached something by $way: $(report b)"
done
for name in one two; do
	last=$(console $name | grep -c "guest: wrote")
	within 20 eval "((\$(console $name | grep -c 'guest: wrote') > $last))"
done

# The same intruder once it is the server: then it sees what it serves. The ways it tried do work.
cp -f "$work/iopartd" "$iopartd.real" && rm -f "$iopartd" && mv "$iopartd.real" "$iopartd"
pkill -KILL -f 'iopartd --instance a'
within 20 eval '(($(field b memory) > 0 && $(field b areas) > 0 && $(field b serving) > 0))'
report b
for way in device guessed processes; do
	(($(field b $way) == 0)) || fail "the intruder reached something by $way: $(report b)"
done

# Had it not given up root: then it would reach what the others have.
touch /run/intruder/root
install_intruder
rm -f /run/intruder/b
pkill -KILL -f 'iopartd --instance b'
within 20 eval '(($(field b device) > 0 && $(field b processes) > 0))'
report b
