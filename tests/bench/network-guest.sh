# SPDX-License-Identifier: Apache-2.0
# The network benchmark's guest.
ip address add 10.78.0.2/24 dev eth0
ip link set eth0 up
netbench 10.78.0.1 7000 send 1 1 >/dev/null
for way in send receive; do
	for streams in 1 4; do netbench 10.78.0.1 7000 $way $streams 3; done
done
echo "bench: done"
poweroff -f
