// SPDX-License-Identifier: Apache-2.0
/* What a partition may have of the kernel's memory: channels, bytes, and a cgroup to charge. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

#define CGROUP "/sys/fs/cgroup/uvr-test"
#define MIB (1ull << 20)

static struct ultravisor_partition_create partition_args(void)
{
	struct ultravisor_partition_create create = { .size = sizeof(create) };

	fill_uuid(create.uuid, 0x11);
	strcpy(create.name, "limited");
	return create;
}

static struct object create_partition(struct ultravisor_partition_create *create)
{
	ok(ioctl(device, ULTRAVISOR_PARTITION_CREATE, create));
	ok(object_publish(create->out_id));
	return (struct object){ create->out_id, create->out_fd };
}

static struct ultravisor_channel_create channel_of(const struct object *p, uint64_t size)
{
	return (struct ultravisor_channel_create){
		.client_id = p->id, .server_size = size, .doorbells = 1,
	};
}

static void channels_are_counted(void)
{
	struct ultravisor_partition_create args = partition_args();
	struct ultravisor_channel_create create;
	struct object p, c[3], other;
	int end;

	args.max_channels = 2;
	p = create_partition(&args);
	create = channel_of(&p, 4096);
	ok(channel_create(&create, &c[0]));
	ok(channel_create(&create, &c[1]));
	fails(EDQUOT, channel_create(&create, &c[2]));
	check(partition_info(p.fd).out_channels == 2);
	check(partition_info(p.fd).out_channel_bytes == 4 * 4096);
	/* A channel that fails for another reason takes nothing. */
	create.reserved = 1;
	fails(EOPNOTSUPP, channel_create(&create, &c[2]));
	create.reserved = 0;
	/* Whoever still holds a descriptor of a channel does not hold its place. */
	ok(object_publish(c[0].id));
	end = ok(object_open(c[0].id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(object_destroy(c[0].id));
	ok(channel_create(&create, &c[0]));
	fails(EDQUOT, channel_create(&create, &c[2]));
	close(end);
	/* Those of others, and of the host, are not its. */
	create.client_id = 0;
	ok(channel_create(&create, &other));
	ok(object_destroy(c[0].id));
	ok(object_destroy(c[1].id));
	check(partition_info(p.fd).out_channels == 0);
	check(partition_info(p.fd).out_channel_bytes == 0);
}

static void their_bytes_are_counted(void)
{
	struct ultravisor_partition_create args = partition_args();
	struct ultravisor_channel_create create;
	struct object p, c[2];

	args.max_channel_bytes = MIB;
	p = create_partition(&args);
	create = channel_of(&p, MIB);
	fails(EDQUOT, channel_create(&create, &c[0]));	/* with its header it is more */
	create = channel_of(&p, MIB - 4096);
	ok(channel_create(&create, &c[0]));
	create = channel_of(&p, 0);
	fails(EDQUOT, channel_create(&create, &c[1]));
	ok(object_destroy(c[0].id));
	ok(channel_create(&create, &c[1]));
}

/* ---- cgroups ---- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail("%s: %s", path, strerror(errno));
	close(fd);
}

/* A number in a file of the cgroup; behind a name, if one is given. */
static uint64_t read_number(const char *file, const char *name)
{
	char path[128], text[8192], *at = text;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", CGROUP, file);
	fd = ok(open(path, O_RDONLY | O_CLOEXEC));
	n = ok(read(fd, text, sizeof(text) - 1));
	close(fd);
	text[n] = 0;
	if (name) {
		at = strstr(text, name);
		check(at);
		at += strlen(name);
	}
	return strtoull(at, NULL, 10);
}

static int make_cgroup(void)
{
	rmdir(CGROUP);
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	ok(mkdir(CGROUP, 0755));
	return ok(open(CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Charges are batched, and given back by work items. */
static void await_below(uint64_t bytes)
{
	for (int i = 0; i < 1000; i++) {
		if (read_number("memory.current", NULL) < bytes)
			return;
		sleep_ms(10);
	}
	fail("%llu bytes stay charged", (unsigned long long)read_number("memory.current", NULL));
}

static void memory_is_charged_to_its_cgroup(void)
{
	struct ultravisor_partition_create args = partition_args();
	struct ultravisor_channel_create create;
	struct object p, c;
	int fd = make_cgroup(), end;

	check(read_number("memory.current", NULL) < MIB);
	/* Not charged there: the host's own channel of the same size. */
	create = (struct ultravisor_channel_create){ .server_size = 8 * MIB };
	ok(channel_create(&create, &c));
	check(read_number("memory.current", NULL) < MIB);
	ok(object_destroy(c.id));

	args.flags = ULTRAVISOR_PARTITION_CGROUP;
	args.cgroup = fd;
	p = create_partition(&args);
	create = channel_of(&p, 8 * MIB);
	ok(channel_create(&create, &c));
	check(read_number("memory.current", NULL) >= 8 * MIB);
	check(read_number("memory.current", NULL) < 9 * MIB);
	check(read_number("memory.stat", "\nkernel ") >= 8 * MIB);
	/* Destroying gives all of it back, whatever descriptors are left. */
	ok(object_publish(c.id));
	end = ok(object_open(c.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(object_destroy(c.id));
	await_below(MIB);
	close(end);

	/* Beyond the cgroup's limit there is none, and nobody is killed for it. */
	write_file(CGROUP "/memory.max", "4M");
	fails(ENOMEM, channel_create(&create, &c));
	check(partition_info(p.fd).out_channels == 0);
	check(read_number("memory.events", "oom_kill ") == 0);
	create = channel_of(&p, MIB);
	ok(channel_create(&create, &c));
	close(p.fd);
	ok(object_destroy(c.id));
	ok(object_destroy(p.id));
	await_below(MIB);
	ok(rmdir(CGROUP));
}

static void kvms_structures_are_charged_there(void)
{
	static const uint8_t halt[] = { 0xf4 };
	struct ultravisor_partition_create args = partition_args();
	struct guest g;
	uint64_t before, vm = 0;
	int fd = make_cgroup();

	args.flags = ULTRAVISOR_PARTITION_CGROUP;
	args.cgroup = fd;
	g.partition = create_partition(&args);
	g.memfd = make_memfd(GUEST_SIZE);
	ok(memory_add(g.partition.fd, 0, GUEST_SIZE, g.memfd));
	ok(context_create(g.partition.fd, 0, 0, 0));
	g.monitor = ok(object_open(g.partition.id, ULTRAVISOR_ROLE_MONITOR, 0));
	/* memory.current is charged in advance, for each processor; memory.stat is late. */
	before = read_number("memory.stat", "\nkernel ");
	guest_build(&g, halt, sizeof(halt), true);
	for (int i = 0; i < 100 && vm < 64 << 10; i++) {
		sleep_ms(100);
		vm = read_number("memory.stat", "\nkernel ") - before;
	}
	printf("       a VM of one vCPU: %llu bytes\n", (unsigned long long)vm);
	check(vm >= 64 << 10 && vm < 4 * MIB);
}

static void a_cgroup_is_checked(void)
{
	struct ultravisor_partition_create args = partition_args();
	int gone = make_cgroup();

	args.cgroup = gone;
	fails(EINVAL, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &args));
	args.flags = ULTRAVISOR_PARTITION_CGROUP;
	args.cgroup = -1;
	fails(EBADF, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &args));
	args.cgroup = ok(open("/tmp", O_RDONLY | O_DIRECTORY));
	fails(EBADF, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &args));
	args.cgroup = device;
	fails(EBADF, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &args));
	ok(rmdir(CGROUP));
	args.cgroup = gone;
	fails(ENOENT, ioctl(device, ULTRAVISOR_PARTITION_CREATE, &args));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "channels are counted", channels_are_counted },
		{ "their bytes are counted", their_bytes_are_counted },
		{ "memory is charged to its cgroup", memory_is_charged_to_its_cgroup },
		{ "KVM's structures are charged there", kvms_structures_are_charged_there },
		{ "a cgroup is checked", a_cgroup_is_checked },
	};
	int rc = RUN_TESTS(tests);

	rmdir(CGROUP);
	return rc;
}
