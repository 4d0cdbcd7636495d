/* SPDX-License-Identifier: Apache-2.0 */
/* For launch.c: an I/O server of one disk in memory, small enough to be obviously right. */
#ifndef TESTS_HOST_MONITOR_COMMON_H
#define TESTS_HOST_MONITOR_COMMON_H

#include <stdint.h>

#include <libchannel/channel.h>

#define DISK_SECTORS 2048u

struct disk {
	struct channel *channel;
	uint64_t kicks, requests;
	uint32_t acknowledged;
	uint16_t taken;		/* available index */
	uint16_t size;		/* of queue 0 while the driver is up, else 0 */
	uint64_t desc, driver, device;
	uint8_t data[DISK_SECTORS * 512];
};

/* Describes the disk in the server's area. data: the sector's number in each word. */
int disk_open(struct disk *d, int fd);

/* The client's area has changed; queue 0 was kicked. */
void disk_state(struct disk *d);
void disk_kick(struct disk *d);

#endif
