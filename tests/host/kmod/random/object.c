// SPDX-License-Identifier: Apache-2.0
/* Steps: objects are made, found, opened, published, asked and destroyed. */
#include <fcntl.h>
#include <unistd.h>

#include "random.h"

static uint64_t some_size(void)
{
	if (one_in(60))
		return one_in(4) ? 1 << 20 : draw() >> below(64);
	return below(5) * 4096;
}

void create_partition(void)
{
	struct ultravisor_partition_create arg = ARGUMENT(ultravisor_partition_create);
	unsigned int i = below(MAX_IDS);
	struct ultravisor_object old = { .size = sizeof(old) };

	arg.flags = flags_or_worse(0);
	fill_uuid(arg.uuid, below(20));
	snprintf(arg.name, sizeof(arg.name), "random%u", i);
	arg.transaction = draw();
	if (one_in(4)) {
		arg.max_channels = 1 + below(3);
		arg.max_channel_bytes = below(20) * 4096;
	}
	if (one_in(8)) {
		arg.flags |= ULTRAVISOR_PARTITION_CGROUP;
		arg.cgroup = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	old.id = shared->partitions[i];
	if (old.id)
		call(device, ULTRAVISOR_OBJECT_DESTROY, &old);
	if (!call(pick(DEVICE), ULTRAVISOR_PARTITION_CREATE, &arg)) {
		shared->partitions[i] = arg.out_id;
		keep(arg.out_fd, PARTITION);
		old.id = arg.out_id;
		if (!one_in(5))
			call(device, ULTRAVISOR_OBJECT_PUBLISH, &old);
	}
	if (arg.cgroup > 0)
		close(arg.cgroup);
}

void create_channel(void)
{
	struct ultravisor_channel_create arg = ARGUMENT(ultravisor_channel_create);
	struct ultravisor_object old = { .size = sizeof(old) };
	unsigned int i = below(MAX_IDS);

	arg.flags = flags_or_worse(below(2) ? ULTRAVISOR_CHANNEL_GRANT : 0);
	arg.type = below(4);
	arg.client_id = one_in(6) ? 0 : shared->partitions[below(MAX_IDS)];
	arg.client_size = some_size();
	arg.server_size = some_size();
	arg.private_size = some_size();
	arg.doorbells = one_in(30) ? below(100) : below(5);
	arg.reserved = one_in(200) ? draw() : 0;
	if (one_in(3))
		arg.answer_ns = one_in(20) ? draw() : (1 + below(20)) * MS;
	fill_uuid(arg.uuid, below(20));
	old.id = shared->channels[i];
	if (old.id)
		call(device, ULTRAVISOR_OBJECT_DESTROY, &old);
	if (call(pick(DEVICE), ULTRAVISOR_CHANNEL_CREATE, &arg))
		return;
	shared->channels[i] = arg.out_id;
	keep(arg.out_fd, CHANNEL);
	old.id = arg.out_id;
	if (!one_in(10))
		call(device, ULTRAVISOR_OBJECT_PUBLISH, &old);
	for (unsigned int slot = 0; slot < 2; slot++)
		if (!one_in(5))
			server_set(arg.out_fd, slot, 1 + below(3));
}

void open_object(void)
{
	static const enum kind control[] = { PARTITION, CHANNEL };
	struct ultravisor_object_open arg = ARGUMENT(ultravisor_object_open);
	bool channel = below(4);

	arg.flags = flags_or_worse(0);
	arg.id = channel ? shared->channels[below(MAX_IDS)] : shared->partitions[below(MAX_IDS)];
	if (one_in(40))
		arg.id = some_id();
	arg.role = channel ? 3 + below(2) : 2;
	if (one_in(6))
		arg.role = one_in(10) ? draw() : 1;
	arg.slot = arg.role == ULTRAVISOR_ROLE_SERVER ? below(one_in(30) ? 100 : 2) : 0;
	if (call(pick(DEVICE), ULTRAVISOR_OBJECT_OPEN, &arg))
		return;
	switch (arg.role) {
	case ULTRAVISOR_ROLE_MONITOR:
		keep(arg.out_fd, MONITOR);
		break;
	case ULTRAVISOR_ROLE_CLIENT:
		keep(arg.out_fd, CLIENT);
		break;
	case ULTRAVISOR_ROLE_SERVER:
		keep(arg.out_fd, SERVER);
		break;
	default:
		keep(arg.out_fd, control[channel]);
	}
}

void next_object(void)
{
	struct ultravisor_object_next arg = ARGUMENT(ultravisor_object_next);

	arg.id = some_id();
	if (call(pick(DEVICE), ULTRAVISOR_OBJECT_NEXT, &arg))
		return;
	if (arg.out_kind == ULTRAVISOR_KIND_PARTITION)
		shared->partitions[below(MAX_IDS)] = arg.out_id;
	else
		shared->channels[below(MAX_IDS)] = arg.out_id;
}

static void object(unsigned long cmd)
{
	struct ultravisor_object arg = ARGUMENT(ultravisor_object);

	arg.flags = flags_or_worse(0);
	arg.id = some_id();
	call(pick(DEVICE), cmd, &arg);
}

void destroy_or_publish(void)
{
	object(one_in(10) ? ULTRAVISOR_OBJECT_DESTROY : ULTRAVISOR_OBJECT_PUBLISH);
}

void get_infos(void)
{
	union {
		uint32_t size;
		struct ultravisor_info info;
		struct ultravisor_partition_info partition;
		struct ultravisor_context_info context;
		struct ultravisor_channel_info channel;
		struct ultravisor_endpoint_info endpoint;
		struct ultravisor_memory_info memory;
	} arg = { 0 };

	switch (below(6)) {
	case 0:
		arg.size = size_or_worse(sizeof(arg.info));
		call(pick(1 + below(SERVER)), ULTRAVISOR_INFO, &arg);
		break;
	case 1:
		arg.size = size_or_worse(sizeof(arg.partition));
		call(pick(PARTITION), ULTRAVISOR_PARTITION_INFO, &arg);
		break;
	case 2:
		arg.size = size_or_worse(sizeof(arg.context));
		arg.context.index = one_in(20) ? draw() : below(3);
		call(pick(PARTITION), ULTRAVISOR_CONTEXT_INFO, &arg);
		break;
	case 3:
		arg.size = size_or_worse(sizeof(arg.channel));
		call(pick(CHANNEL), ULTRAVISOR_CHANNEL_INFO, &arg);
		break;
	case 4:
		arg.size = size_or_worse(sizeof(arg.endpoint));
		call(pick(CLIENT + below(2)), ULTRAVISOR_ENDPOINT_INFO, &arg);
		break;
	default:
		arg.size = size_or_worse(sizeof(arg.memory));
		arg.memory.index = one_in(20) ? draw() : below(3);
		call(pick(one_in(3) ? PARTITION : below(2) ? MONITOR : SERVER),
		     ULTRAVISOR_MEMORY_INFO, &arg);
	}
}
