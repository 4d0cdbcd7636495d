/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests' processes: started, watched by their pidfd and their monitor channel, ended. They are
 * nobody's children for long: they survive uvd, and its next instance adopts them. What happens to
 * a guest is recorded by uvd's own transactions.
 */
#ifndef UVD_SUPERVISOR_H
#define UVD_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "launch.h"
#include "uvd.h"

struct supervisor;

/* program: path of uvmonitor. */
int supervisor_open(struct supervisor **out, struct uvd *uvd, sd_event *event,
		    const char *program);
void supervisor_close(struct supervisor *s);

/* The hooks of struct uvd_hooks. */
void supervisor_start(struct supervisor *s, struct launch *launch);
/* Presses the power button, and again every few seconds for as long as the guest runs. */
void supervisor_stop(struct supervisor *s, const uint8_t partition[16]);
void supervisor_end(struct supervisor *s, const uint8_t partition[16]);
int supervisor_charge(struct supervisor *s, const char *name);
void supervisor_discharge(struct supervisor *s, const char *name);
bool supervisor_live(struct supervisor *s, const uint8_t partition[16], int32_t *pid,
		     uint32_t *reboots);
int supervisor_processes(struct supervisor *s, uvd_process_found *found, void *data);
bool supervisor_watches(struct supervisor *s, const uint8_t partition[16]);

/*
 * A lease that had run out was renewed: when it ran out, whoever served its partition's channels
 * was detached, we too; we attach anew. id: of the partition; 0: any may have.
 */
void supervisor_lease(struct supervisor *s, uint64_t id);

/* Looks at every guest's monitor channel: a hint of the module may have been lost. */
void supervisor_look(struct supervisor *s);

/*
 * A guest of the instance before: pid and start are as recorded, monitor is its monitor channel.
 * When its process is gone, that is recorded from the event loop.
 */
struct supervisor_adopted {
	uint8_t partition[16];
	char name[COMMAND_NAME_LEN];
	uint64_t id, monitor;
	int32_t pid;
	uint64_t start;
	uint32_t state;			/* enum command_partition_state */
	uint32_t reboots;
};

int supervisor_adopt(struct supervisor *s, const struct supervisor_adopted *a);

#endif
