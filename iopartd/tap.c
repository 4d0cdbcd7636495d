/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <sys/ioctl.h>

#include "tap.h"

int tap_attach(int fd, bool attach)
{
	struct ifreq r = { .ifr_flags = attach ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	return ioctl(fd, TUNSETQUEUE, &r) < 0 ? -errno : 0;
}

int tap_configure(int fd, int header, uint64_t features)
{
	unsigned long offload = 0;

	if (features & 1ULL << VIRTIO_NET_F_GUEST_CSUM) {
		offload |= TUN_F_CSUM;
		if (features & 1ULL << VIRTIO_NET_F_GUEST_TSO4)
			offload |= TUN_F_TSO4;
		if (features & 1ULL << VIRTIO_NET_F_GUEST_TSO6)
			offload |= TUN_F_TSO6;
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 || ioctl(fd, TUNSETOFFLOAD, offload) < 0)
		return -errno;
	return 0;
}
