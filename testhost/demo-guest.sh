# SPDX-License-Identifier: Apache-2.0
# The demonstration's guest, after its kernel's modules are loaded: brings up disk and network,
# writes a file and says its checksum on the console, and serves that file over HTTP.
echo "guest: $(uname -sr), $(grep -c ^processor /proc/cpuinfo) processors"
mount -t ext4 /dev/vda /mnt || echo "guest: no disk"
ip link set lo up
ip address add 10.77.0.2/24 dev eth0 && ip link set eth0 up
dd if=/dev/urandom of=/mnt/letter bs=64k count=64 2>/dev/null
sync
echo "guest: wrote /mnt/letter, sha256 $(sha256sum /mnt/letter | cut -c1-64)"
httpd -p 80 -h /mnt
echo "guest: ready"
