/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes every device's channel away from the server that has it, which lives on:
 *   switch promote   makes the standby the server (the old one may attach again)
 *   switch revoke    revokes the server's descriptors (it must ask uvd for new ones)
 * Prints how many channels were switched; one that has no standby now is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ultravisor.h>
#include <ultravisor/io.h>

static int standby(const struct ultravisor_channel_info *info)
{
	unsigned int i;

	for (i = 0; i < ULTRAVISOR_MAX_SERVERS; i++)
		if (info->out_slots[i] == ULTRAVISOR_SLOT_STANDBY)
			return (int)i;
	return -1;
}

static int switch_one(int device, uint64_t id, int promote)
{
	struct ultravisor_object_open o = {
		.size = sizeof(o), .id = id, .role = ULTRAVISOR_ROLE_CONTROL,
	};
	struct ultravisor_channel_info info = { .size = sizeof(info) };
	struct ultravisor_channel_promote p = { .size = sizeof(p) };
	struct ultravisor_channel_revoke r = {
		.size = sizeof(r), .what = ULTRAVISOR_REVOKE_SLOT,
	};
	int rc = 0, slot;

	if (ioctl(device, ULTRAVISOR_OBJECT_OPEN, &o) < 0)
		return -1;
	if (ioctl(o.out_fd, ULTRAVISOR_CHANNEL_INFO, &info) < 0) {
		rc = -1;
		goto out;
	}
	slot = standby(&info);
	if (info.out_type < CHANNEL_BLOCK || info.out_serving == ULTRAVISOR_NO_SLOT || slot < 0)
		goto out;
	p.slot = (uint32_t)slot;
	r.slot = info.out_serving;
	if (promote ? ioctl(o.out_fd, ULTRAVISOR_CHANNEL_PROMOTE, &p) :
	    ioctl(o.out_fd, ULTRAVISOR_CHANNEL_REVOKE, &r))
		rc = -1;
	else
		rc = 1;
out:
	close(o.out_fd);
	return rc;
}

int main(int argc, char **argv)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };
	int device = open("/dev/ultravisor", O_RDWR | O_CLOEXEC), rc, switched = 0;

	if (argc != 2 || device < 0) {
		perror("switch promote|revoke: /dev/ultravisor");
		return 2;
	}
	while (ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next) == 0) {
		if (next.out_kind == ULTRAVISOR_KIND_CHANNEL && next.out_published) {
			rc = switch_one(device, next.out_id, !strcmp(argv[1], "promote"));
			if (rc < 0) {
				perror(argv[1]);
				return 1;
			}
			switched += rc;
		}
		next.id = next.out_id;
	}
	printf("%d\n", switched);
	return errno == ENOENT ? 0 : 1;
}
