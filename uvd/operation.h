/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations, by the noun's file that they are in. Each is given a record of its type's exact
 * size with checked strings; returns 0 or a refusal (-ECANCELED). docs/command.md tells each one's
 * preconditions and statuses.
 */
#ifndef UVD_OPERATION_H
#define UVD_OPERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <ultravisor/command.h>

#include "transaction.h"

/* partition.c */
int partition_define(struct transaction *t, const void *record);
int partition_modify(struct transaction *t, const void *record);
int partition_modify_check(struct transaction *t, const void *record);
int partition_undefine(struct transaction *t, const void *record);
int partition_start(struct transaction *t, const void *record);
int partition_start_check(struct transaction *t, const void *record);
int partition_start_prepare(struct transaction *t, const void *record);
int partition_stop(struct transaction *t, const void *record);
void partition_stop_publish(struct transaction *t, const void *record);
int partition_kill(struct transaction *t, const void *record);
int partition_pause(struct transaction *t, const void *record);
void partition_pause_publish(struct transaction *t, const void *record);
int partition_resume(struct transaction *t, const void *record);
void partition_resume_publish(struct transaction *t, const void *record);
int partition_expect(struct transaction *t, const void *record);
int partition_end(struct transaction *t, const void *record);
int partition_runs(struct transaction *t, const void *record);
int partition_again(struct transaction *t, const void *record);

/* memory.c, processor.c */
int memory_assign(struct transaction *t, const void *record);
int memory_release(struct transaction *t, const void *record);
int processor_assign(struct transaction *t, const void *record);
int processor_assign_prepare(struct transaction *t, const void *record);
int processor_release(struct transaction *t, const void *record);

/* device.c */
int device_define(struct transaction *t, const void *record);
int device_claim(struct transaction *t, const void *record);
int device_claim_prepare(struct transaction *t, const void *record);
int device_release(struct transaction *t, const void *record);
int device_modify(struct transaction *t, const void *record);
int device_resize(struct transaction *t, const void *record);
int device_reset(struct transaction *t, const void *record);
int device_reset_prepare(struct transaction *t, const void *record);
void device_reset_publish(struct transaction *t, const void *record);

/* channel.c */
int device_channel_create(struct transaction *t, const void *record);
int device_channel_connect(struct transaction *t, const void *record);
void device_channel_connect_publish(struct transaction *t, const void *record);
int device_channel_destroy(struct transaction *t, const void *record);
int device_channel_revoke(struct transaction *t, const void *record);
void device_channel_revoke_publish(struct transaction *t, const void *record);
int device_channel_promote(struct transaction *t, const void *record);
void device_channel_promote_publish(struct transaction *t, const void *record);
int channel_command(struct transaction *t, const void *record);
int channel_command_prepare(struct transaction *t, const void *record);

/* domain.c, host.c */
int domain_create(struct transaction *t, const void *record);
int domain_modify(struct transaction *t, const void *record);
int domain_assign(struct transaction *t, const void *record);
int domain_expect(struct transaction *t, const void *record);
int domain_prepare(struct transaction *t, const void *record);
int domain_destroy(struct transaction *t, const void *record);
void domain_publish(struct transaction *t, const void *record);
int host_pool(struct transaction *t, const void *record);
int host_stop(struct transaction *t, const void *record);
int host_start(struct transaction *t, const void *record);
int host_instance(struct transaction *t, const void *record);

/* ---- what they share */

/* What of processors a context has: the definition's, for each of its contexts. */
struct processor_time {
	uint32_t mode, flags;
	uint64_t budget_ns, period_ns, window_ns;
};

struct partition {
	uint8_t uuid[16];
	char name[COMMAND_NAME_LEN];
	char domain[COMMAND_NAME_LEN];
	uint32_t kind, state, vcpus;
	struct processor_time time;
	uint64_t memory, lease_ns;
	uint64_t module_id, generation, changed;
};

bool partition_is_on(uint32_t state);
const char *partition_state_name(uint32_t state);

/*
 * Finds the guest partition that is the subject of r, compares generations. Else a refusal.
 * partition_find_off refuses a running one, too. partition_touch raises the generation.
 */
int partition_find(struct transaction *t, const struct command_record *r, const uint8_t uuid[16],
		   struct partition *p);
int partition_find_off(struct transaction *t, const struct command_record *r,
		       const uint8_t uuid[16], struct partition *p);
int partition_touch(struct transaction *t, const uint8_t uuid[16]);

/* Gives back all that a partition holds; what of it is in the kernel goes on t's lists. */
int partition_release(struct transaction *t, const struct partition *p);

/* Removes the rows of a claim, and puts its tap on the list. */
int device_unclaim(struct transaction *t, const uint8_t partition[16], const char *name);

/*
 * Revokes what the servers of a partition's device have of its channel, that of the one that serves
 * or all of them. They ask uvd again, and are handed it anew.
 */
void channel_revoke(struct uvd *uvd, const uint8_t partition[16], const char *device, bool all);

/* Refuses while the host is being stopped. */
int host_check_start(struct transaction *t, const char *name);

/*
 * uvd ends: destroys what is left of a host that was stopped and has nothing running, so that the
 * module can be unloaded.
 */
void host_release(struct uvd *uvd);

/* As the module wants it (include/uapi/linux/ultravisor.h); or a refusal. */
int processor_check_time(struct transaction *t, const struct processor_time *time);

/* A row of "idx, mode, realtime, budget_ns, period_ns, window_start_ns, window_ns, cpus". */
int processor_read_context(sqlite3_stmt *q, struct ultravisor_context_set *set);

/*
 * Where the module differs from the rows: differs is called for each (0, or -errno: ends it), and
 * may do what the rows say. They return how many were compared, or -errno.
 *
 * Processors: a domain's are given to partitions, with its frame. take_back: those of no domain
 * must not be, which can be made so only when no contexts of the past are there.
 */
struct processor_should {
	uint32_t cpu;
	bool given;
	uint64_t frame_ns, phase_ns;
};

typedef int processor_differs(struct uvd *uvd, const struct processor_should *p, void *data);
int processors_differ(struct uvd *uvd, bool take_back, processor_differs *differs, void *data);

/* A running partition's contexts; control is its descriptor. */
typedef int context_differs(struct uvd *uvd, int control, struct ultravisor_context_set *should,
			    void *data);
int contexts_differ(struct uvd *uvd, const uint8_t partition[16], int control,
		    context_differs *differs, void *data);

/* The slots of a channel; control is its descriptor. */
typedef int server_differs(struct uvd *uvd, int control, uint32_t slot, const uint8_t should[16],
			   void *data);
int channel_servers_differ(struct uvd *uvd, int control, const uint8_t channel[16],
			   server_differs *differs, void *data);

/* Brings the module's processors, and a channel's slots, to what the rows say. 0 or -errno. */
int processors_sync(struct uvd *uvd, bool take_back);
int channel_set_servers(struct uvd *uvd, int control, const uint8_t channel[16]);

#endif
