// SPDX-License-Identifier: Apache-2.0
/*
 * What a host may lack. For one whose second processor is off and that accounts no memory: run by
 * tests/host/kmod-absent.sh.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common.h"

static void nobody_can_be_charged(void)
{
	struct ultravisor_partition_create arg = {
		.size = sizeof(arg), .flags = ULTRAVISOR_PARTITION_CGROUP, .name = "charged",
		.cgroup = ok(open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
	};
	struct object p;

	fill_uuid(arg.uuid, 7);
	fails(EOPNOTSUPP, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &arg));
	close(arg.cgroup);
	/* Nothing is left of that name, nor is it needed. */
	p = make_partition("charged");
	ok(object_destroy(p.id));
}

static void *run(void *arg)
{
	const struct guest *g = arg;

	fails(ESHUTDOWN, context_run(g->context));
	return NULL;
}

static void its_processor_is_off(void)
{
	const unsigned long set = ULTRAVISOR_CONTEXT_SET;
	pthread_t thread;
	struct guest g;

	guest_init(&g, "off", counting, sizeof(counting));
	ok(context_set(g.partition.fd, set, 0, ULTRAVISOR_CONTEXT_SHARED, 1 << 1, 0, 0));
	fails(ENXIO, context_run(g.context));
	check(!is_counting(&g, 100));
	ok(context_set(g.partition.fd, set, 0, ULTRAVISOR_CONTEXT_SHARED, 1 << 0, 0, 0));
	check(!pthread_create(&thread, NULL, run, &g));
	check(is_counting(&g, 5000));
	ok(object_destroy(g.partition.id));
	check(!pthread_join(thread, NULL));
}

static const struct test tests[] = {
	{ "nobody can be charged", nobody_can_be_charged },
	{ "its processor is off", its_processor_is_off },
};

int main(int argc, char **argv)
{
	return RUN_TESTS(tests);
}
