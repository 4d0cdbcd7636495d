# SPDX-License-Identifier: Apache-2.0
# The guest that loads an I/O partition: long requests, many at once, on four disks.
grep -q load /proc/cmdline || while :; do sleep 1000; done
echo "bench: ready"
sleep 15
for d in a b c d; do iobench /dev/vd$d 8 read sequential 1048576 16 >/dev/null & done
sleep 1
echo "bench: load"
wait
echo "bench: done"
while :; do sleep 1000; done
