/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations: what the command channel can ask for, and what uvd asks of itself. */
#include "internal.h"
#include "operation.h"
#include "transaction.h"

static const struct operation operations[] = {
	{ .type = COMMAND_PARTITION_DEFINE, .name = "partition define",
	  .apply = partition_define },
	{ .type = COMMAND_DEVICE_DEFINE, .name = "device define",
	  .apply = device_define },
	{ .type = COMMAND_PARTITION_MODIFY, .name = "partition modify",
	  .apply = partition_modify, .check = partition_modify_check },
	{ .type = COMMAND_PARTITION_UNDEFINE, .name = "partition undefine",
	  .apply = partition_undefine },
	{ .type = COMMAND_PARTITION_START, .name = "partition start",
	  .apply = partition_start,
	  .check = partition_start_check, .prepare = partition_start_prepare },
	{ .type = COMMAND_PARTITION_STOP, .name = "partition stop",
	  .apply = partition_stop, .publish = partition_stop_publish },
	{ .type = COMMAND_PARTITION_KILL, .name = "partition kill",
	  .apply = partition_kill },
	{ .type = COMMAND_PARTITION_PAUSE, .name = "partition pause",
	  .apply = partition_pause, .publish = partition_pause_publish },
	{ .type = COMMAND_PARTITION_RESUME, .name = "partition resume",
	  .apply = partition_resume, .publish = partition_resume_publish },
	{ .type = COMMAND_PARTITION_EXPECT, .name = "partition expect",
	  .apply = partition_expect },
	{ .type = COMMAND_MEMORY_ASSIGN, .name = "memory assign",
	  .apply = memory_assign },
	{ .type = COMMAND_MEMORY_RELEASE, .name = "memory release",
	  .apply = memory_release },
	{ .type = COMMAND_PROCESSOR_ASSIGN, .name = "processor assign",
	  .apply = processor_assign, .prepare = processor_assign_prepare },
	{ .type = COMMAND_PROCESSOR_RELEASE, .name = "processor release",
	  .apply = processor_release },
	{ .type = COMMAND_DEVICE_CLAIM, .name = "device claim",
	  .apply = device_claim, .prepare = device_claim_prepare },
	{ .type = COMMAND_DEVICE_RELEASE, .name = "device release",
	  .apply = device_release },
	{ .type = COMMAND_DEVICE_RESET, .name = "device reset",
	  .apply = device_reset, .prepare = device_reset_prepare,
	  .publish = device_reset_publish },
	{ .type = COMMAND_DEVICE_MODIFY, .name = "device modify",
	  .apply = device_modify },
	{ .type = COMMAND_DEVICE_RESIZE, .name = "device resize",
	  .apply = device_resize },
	{ .type = COMMAND_CHANNEL_CREATE, .name = "channel create",
	  .apply = device_channel_create },
	{ .type = COMMAND_CHANNEL_CONNECT, .name = "channel connect",
	  .apply = device_channel_connect, .publish = device_channel_connect_publish },
	{ .type = COMMAND_CHANNEL_DESTROY, .name = "channel destroy",
	  .apply = device_channel_destroy },
	{ .type = COMMAND_CHANNEL_REVOKE, .name = "channel revoke",
	  .apply = device_channel_revoke, .publish = device_channel_revoke_publish },
	{ .type = COMMAND_CHANNEL_PROMOTE, .name = "channel promote",
	  .apply = device_channel_promote, .publish = device_channel_promote_publish },
	{ .type = COMMAND_DOMAIN_CREATE, .name = "domain create",
	  .apply = domain_create, .prepare = domain_prepare, .publish = domain_publish },
	{ .type = COMMAND_DOMAIN_MODIFY, .name = "domain modify",
	  .apply = domain_modify, .prepare = domain_prepare, .publish = domain_publish },
	{ .type = COMMAND_DOMAIN_ASSIGN, .name = "domain assign",
	  .apply = domain_assign },
	{ .type = COMMAND_DOMAIN_EXPECT, .name = "domain expect",
	  .apply = domain_expect },
	{ .type = COMMAND_DOMAIN_DESTROY, .name = "domain destroy",
	  .apply = domain_destroy, .publish = domain_publish },
	{ .type = COMMAND_HOST_POOL, .name = "host pool",
	  .apply = host_pool },
	{ .type = COMMAND_HOST_STOP, .name = "host stop",
	  .apply = host_stop },
	{ .type = COMMAND_HOST_START, .name = "host start",
	  .apply = host_start },
	{ .type = INTERNAL_PARTITION_END, .name = "partition end",
	  .apply = partition_end },
	{ .type = INTERNAL_PARTITION_RUNS, .name = "partition runs",
	  .apply = partition_runs },
	{ .type = INTERNAL_PARTITION_AGAIN, .name = "partition again",
	  .apply = partition_again, .prepare = partition_start_prepare },
	{ .type = INTERNAL_HOST_INSTANCE, .name = "host instance",
	  .apply = host_instance },
	{ .type = INTERNAL_COMMAND_CHANNEL, .name = "command channel",
	  .apply = channel_command, .prepare = channel_command_prepare },
};

const struct operation *operation_find(uint16_t type)
{
	unsigned int i;

	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		if (operations[i].type == type)
			return &operations[i];
	return NULL;
}
