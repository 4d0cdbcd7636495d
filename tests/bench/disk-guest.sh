# SPDX-License-Identifier: Apache-2.0
# The disk benchmark's guest.
for operation in read write; do
	iobench /dev/vda 1 $operation random 4096 1
	iobench /dev/vda 1 $operation random 4096 16
	iobench /dev/vda 1 $operation sequential 131072 8
done
echo "bench: done"
poweroff -f
