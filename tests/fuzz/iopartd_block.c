// SPDX-License-Identifier: Apache-2.0
// fuzz-sources: iopartd/!(main).c libchannel/*.c common/*.c
// fuzz-sources: tests/unit/iopartd/guest.c tests/unit/iopartd/rig.c
// fuzz-packages: libsystemd liburing libseccomp libnbd cmocka
// fuzz-packages: jansson libcurl libmicrohttpd smartcols libcap-ng
/*
 * A guest that asks its disk for anything: the input is a few requests over two queues, their
 * chains and words of them changed, served by a whole device on a file. Found is what the
 * sanitizers find; a file that grew; a byte written where the chain offered none (as long as no
 * descriptor was changed); a device that does not come back by a reset.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/virtio_blk.h>

#include "tests/unit/iopartd/guest.h"
#include "tests/unit/iopartd/rig.h"

#include "tests/fuzz/input.h"

#define DISK		(256u << 10)
#define QUEUES		2u
#define SIZE		64u
#define REQUESTS	10u
#define BUFFERS		5u
#define AREA		8192u		/* of each buffer's memory */
#define CANARY		0xa5

static struct guest g;
static struct rig rig;
static int file;
static uint64_t first;		/* guest memory of requests */
static struct buffer given[REQUESTS * (BUFFERS + 2)];
static unsigned int givens;

static void set_up(void)
{
	const struct command_settings settings = { .queues = QUEUES, .serial = "serial" };
	char path[64];

	guest_init(&g, CHANNEL_BLOCK);
	rig_init(&rig);
	file = rig_file(path, DISK, false);
	rig_serve_as(&rig, &g, rig_open(path, false), false, &settings);
	unlink(path);
	guest_up(&g, GUEST_FEATURES, QUEUES, SIZE);
	rig_settle(&rig, &g);
	first = g.next;
}

/* One chain: a header, then buffers of any direction and size; the last often is the status. */
static void submit(struct input *in)
{
	static const uint32_t types[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_GET_ID,
		VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES, 77, 1u << 31,
	};
	uint8_t how = take(in, 1), n = take(in, 1) % BUFFERS;
	struct virtio_blk_outhdr header = {
		.type = types[how % 8], .sector = take(in, how & 8 ? 8 : 1) * (how & 16 ? 1 : 8),
	};
	struct virtio_blk_discard_write_zeroes range = {
		.sector = header.sector, .num_sectors = take(in, 2), .flags = take(in, 1) % 4,
	};
	struct buffer b[BUFFERS + 2];
	unsigned int i, count = 0;
	char *at;

	for (i = 0; i < n + 2u; i++) {
		uint16_t length = take(in, 2);
		bool last = i == n + 1u;

		b[count] = (struct buffer){
			guest_alloc(&g, AREA), length % AREA + 1,
			i && (header.type != VIRTIO_BLK_T_OUT || last),
		};
		if (i && !last && how & 32)
			b[count].length = (b[count].length + 511) & ~511u;
		if (!i && how & 64)
			b[count].length = sizeof(header) + (how & 4 ? sizeof(range) : 0);
		if (last && how & 128)
			b[count].length = 1;
		at = guest_at(&g, b[count].gpa);
		memset(at, b[count].writable ? CANARY : length, AREA);
		if (!i) {
			memcpy(at, &header, sizeof(header));
			memcpy(at + sizeof(header), &range, sizeof(range));
		}
		given[givens++] = b[count++];
	}
	guest_submit(&g, how >> 1 & 1, b, count, how & 1);
}

static void check_canaries(void)
{
	const unsigned char *at;
	unsigned int i, k;

	for (i = 0; i < givens; i++) {
		at = guest_at(&g, given[i].gpa);
		for (k = given[i].length; given[i].writable && k < AREA; k++)
			require(at[k] == CANARY);
	}
}

/* How far each queue got, without believing what the input has made of the rings. */
static unsigned int used(void)
{
	return (uint16_t)(guest_used_index(&g, 0)) + (uint16_t)(guest_used_index(&g, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };
	static struct vring_desc were[QUEUES][SIZE];
	unsigned int i, requests;
	bool changed = false;
	struct stat st;

	if (!file)
		set_up();
	g.next = first;
	givens = 0;
	requests = take(&in, 1) % REQUESTS + 1;
	for (i = 0; i < requests; i++)
		submit(&in);
	for (i = 0; i < QUEUES; i++) {
		memcpy(were[i], guest_desc(&g, i), sizeof(were[i]));
		take_patches(&in, guest_desc(&g, i), sizeof(were[i]));
		changed |= memcmp(were[i], guest_desc(&g, i), sizeof(were[i])) != 0;
	}
	if (take(&in, 1) % 4 == 0)
		take_patches(&in, guest_avail(&g, 0), 6 + 2 * SIZE);
	for (i = 0; i < QUEUES; i++)
		channel_ring(g.client, IO_DOORBELL_QUEUE(i));
	for (i = 0; i < 200 && sd_event_run(rig.event, 0) > 0; i++)
		;
	for (i = 0; i < 200 && rig.io.uring.under_way; i++)
		sd_event_run(rig.event, 10000);
	require(!rig.io.uring.under_way);
	/* A ring that is patched may say more; then the device is broken, or does as it is told. */
	require(used() <= QUEUES * SIZE);
	require(rig.device->state == DEVICE_SERVING);
	if (!changed)
		check_canaries();
	require(fstat(file, &st) == 0 && st.st_size == DISK);
	guest_down(&g);
	rig_settle(&rig, &g);
	guest_up(&g, GUEST_FEATURES | (uint64_t)(take(&in, 1) & 1) << VIRTIO_BLK_F_FLUSH, QUEUES,
		 SIZE);
	rig_settle(&rig, &g);
	require(guest_broken(&g) != guest_generation(&g));
	return 0;
}
