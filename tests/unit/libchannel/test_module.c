// SPDX-License-Identifier: Apache-2.0
/*
 * The module's transport without the module: this program's ioctl() plays it, on a memfd whose
 * offsets are laid out as the module's are. Shows what channel_open believes and what it refuses,
 * and that a refusal leaves the descriptor attached to nothing.
 */
#include "helper.h"

#include <fcntl.h>
#include <linux/ultravisor.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096u

static struct {
	int fd;				/* the endpoint */
	struct ultravisor_channel_header *header;
	struct ultravisor_endpoint_info info;
	bool attached;
	int attach_errno, info_errno;
	uint32_t blocks;
	int memory_errno;
	struct ultravisor_doorbell_bind bound;
	uint32_t rung;
	uint64_t rings;
} module;

static int answer(int error)
{
	errno = error;
	return error ? -1 : 0;
}

static int play(unsigned long number, void *argument)
{
	struct ultravisor_endpoint_info *info = argument;
	struct ultravisor_memory_info *memory = argument;
	struct ultravisor_doorbell_ring *ring = argument;

	assert_int_not_equal(*(uint32_t *)argument, 0);
	switch (number) {
	case ULTRAVISOR_ENDPOINT_INFO:
		if (module.info_errno)
			return answer(module.info_errno);
		*info = module.info;
		info->size = sizeof(*info);
		info->out_attached = module.attached;
		return 0;
	case ULTRAVISOR_ATTACH:
		if (module.attach_errno)
			return answer(module.attach_errno);
		if (module.attached)
			return answer(EBUSY);
		module.attached = true;
		return 0;
	case ULTRAVISOR_DETACH:
		assert_true(module.attached);
		module.attached = false;
		return 0;
	case ULTRAVISOR_DOORBELL_BIND:
		module.bound = *(struct ultravisor_doorbell_bind *)argument;
		return 0;
	case ULTRAVISOR_DOORBELL_RING:
		if (!module.attached)
			return answer(ENOTCONN);
		module.rung = ring->index;
		module.rings++;
		return 0;
	case ULTRAVISOR_MEMORY_INFO:
		if (module.memory_errno)
			return answer(module.memory_errno);
		if (memory->index >= module.blocks)
			return answer(ENOENT);
		memory->out_gpa = memory->index ? 0x100000000 : 0;
		memory->out_length = PAGE * (1 + memory->index);
		return 0;
	}
	return answer(ENOTTY);
}

int ioctl(int fd, unsigned long number, ...)
{
	va_list rest;
	void *argument;

	va_start(rest, number);
	argument = va_arg(rest, void *);
	va_end(rest);
	if (module.fd > 0 && fd == module.fd)
		return play(number, argument);
	return (int)syscall(SYS_ioctl, fd, number, argument);
}

static void module_start(uint32_t role)
{
	const off_t end = ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_MEMORY(ULTRAVISOR_MAX_BLOCKS));

	memset(&module, 0, sizeof(module));
	module.fd = memfd_create("endpoint", MFD_CLOEXEC);
	assert_true(module.fd >= 0);
	assert_int_equal(ftruncate(module.fd, end), 0);
	module.header = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, module.fd, 0);
	assert_true(module.header != MAP_FAILED);
	*module.header = (struct ultravisor_channel_header){
		.magic = ULTRAVISOR_CHANNEL_MAGIC, .header_size = sizeof(*module.header),
		.type = 3, .layout_version = 1, .total_size = PAGE * 7, .epoch = 1,
		.client_size = PAGE, .server_size = PAGE * 2, .private_size = PAGE * 3,
		.doorbells = 9,
	};
	module.info = (struct ultravisor_endpoint_info){
		.out_channel_id = 77, .out_epoch = 5, .out_role = role, .out_serving = 1,
		.out_peer_attached = 1, .out_doorbells = 9,
	};
}

static void module_end(void)
{
	munmap(module.header, PAGE);
	close(module.fd);
	module.fd = 0;
}

static void an_endpoint_is_attached_mapped_and_given_back(void **state)
{
	const struct channel_geometry expected = {
		.type = 3, .layout_version = 1, .client_size = PAGE, .server_size = PAGE * 2,
		.private_size = PAGE * 3, .doorbells = 9,
	};
	const off_t client = ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_CLIENT);
	const off_t server = ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_SERVER);
	const off_t private_end = ULTRAVISOR_AREA_OFFSET(ULTRAVISOR_AREA_PRIVATE) + PAGE * 3 - 1;
	struct channel_status status;
	struct channel *c;
	char byte;
	int fd;

	(void)state;
	module_start(ULTRAVISOR_ROLE_SERVER);
	assert_int_equal(channel_open(&c, module.fd, &expected), 0);
	assert_true(module.attached);
	assert_int_equal(channel_side(c), CHANNEL_SERVER);
	assert_int_equal(channel_id(c), 77);
	assert_int_equal(channel_geometry(c)->type, 3);
	assert_int_equal(channel_geometry(c)->layout_version, 1);
	assert_int_equal(channel_geometry(c)->client_size, PAGE);
	assert_int_equal(channel_geometry(c)->server_size, PAGE * 2);
	assert_int_equal(channel_geometry(c)->private_size, PAGE * 3);
	assert_int_equal(channel_geometry(c)->doorbells, 9);
	assert_int_equal(channel_status_fd(c), module.fd);

	*(char *)channel_own(c) = 's';
	*((char *)channel_private(c) + PAGE * 3 - 1) = 'p';
	assert_int_equal(pread(module.fd, &byte, 1, server), 1);
	assert_int_equal(byte, 's');
	assert_int_equal(pread(module.fd, &byte, 1, private_end), 1);
	assert_int_equal(byte, 'p');
	assert_int_equal(pwrite(module.fd, "c", 1, client), 1);
	assert_int_equal(*(const char *)channel_peer(c), 'c');

	assert_int_equal(channel_status(c, &status), 0);
	assert_int_equal(status.epoch, 5);
	assert_true(status.serving && status.peer_attached);
	assert_int_equal(channel_ring(c, 8), 0);
	assert_int_equal(module.rung, 8);
	assert_int_equal(channel_ring(c, 9), -EINVAL);
	fd = channel_doorbell_fd(c, 4);
	assert_true(fd >= 0);
	assert_int_equal(module.bound.fd, fd);
	assert_int_equal(module.bound.index, 4);
	assert_int_equal(module.bound.what, ULTRAVISOR_DOORBELL_SINK);
	assert_int_equal(channel_bind_sink(c, 4, -1), 0);
	assert_int_equal(module.bound.fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);	/* its own one is closed */
	assert_int_equal(channel_bind_source(c, 4, 0), -EINVAL);

	fd = module.fd;
	channel_close(c);
	assert_false(module.attached);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	munmap(module.header, PAGE);
	module.fd = 0;
}

static void each_field_of_an_unexpected_geometry_is_refused(void **state)
{
	const struct channel_geometry wrong[] = {
		{ .type = 4 }, { .layout_version = 2 }, { .client_size = PAGE * 2 },
		{ .server_size = PAGE }, { .private_size = PAGE }, { .doorbells = 8 },
	};
	struct channel *c;
	size_t i;

	(void)state;
	module_start(ULTRAVISOR_ROLE_CLIENT);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(channel_open(&c, module.fd, &wrong[i]), -EPROTO);
		assert_false(module.attached);
		assert_int_not_equal(fcntl(module.fd, F_GETFD), -1);
	}
	module_end();
}

static void each_field_of_an_impossible_header_is_refused(void **state)
{
	struct ultravisor_channel_header good, bad[12];
	struct channel *c;
	size_t i;

	(void)state;
	module_start(ULTRAVISOR_ROLE_CLIENT);
	good = *module.header;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].magic++;
	bad[1].header_size--;
	bad[2].header_size = PAGE + 1;
	bad[3].total_size += PAGE;
	bad[4].client_size = PAGE + 1;
	bad[5].client_size = (64u << 20) + PAGE;
	bad[6].server_size = -(uint64_t)PAGE;
	bad[7].private_size = 1;
	bad[8].doorbells = 65;
	bad[9].doorbells = 8;			/* not what ENDPOINT_INFO says */
	bad[10].server_size = 0;		/* the sum is wrong then */
	bad[11] = (struct ultravisor_channel_header){ 0 };
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		*module.header = bad[i];
		assert_int_equal(channel_open(&c, module.fd, NULL), -EPROTO);
		assert_false(module.attached);
	}
	*module.header = good;
	assert_int_equal(channel_open(&c, module.fd, NULL), 0);
	munmap(module.header, PAGE);
	channel_close(c);
	module.fd = 0;
}

static void refusals_of_the_module_come_through(void **state)
{
	struct channel_status status;
	struct channel *c;

	(void)state;
	module_start(ULTRAVISOR_ROLE_CONTROL);
	assert_int_equal(channel_open(&c, module.fd, NULL), -EINVAL);
	module.info.out_role = ULTRAVISOR_ROLE_CLIENT;
	module.info_errno = ENOTTY;
	assert_int_equal(channel_open(&c, module.fd, NULL), -ENOTTY);
	module.info_errno = ESTALE;
	assert_int_equal(channel_open(&c, module.fd, NULL), -ECONNRESET);
	module.info_errno = 0;
	module.attach_errno = EBUSY;
	assert_int_equal(channel_open(&c, module.fd, NULL), -EBUSY);
	module.attach_errno = 0;
	/* Gone between ATTACH and the first touch. */
	assert_int_equal(ftruncate(module.fd, 0), 0);
	assert_int_equal(channel_open(&c, module.fd, NULL), -ECONNRESET);
	assert_false(module.attached);
	module_end();

	module_start(ULTRAVISOR_ROLE_CLIENT);
	assert_int_equal(channel_open(&c, module.fd, NULL), 0);
	module.attached = false;		/* revoked */
	assert_int_equal(channel_ring(c, 0), -ECONNRESET);
	assert_int_equal(channel_status(c, &status), -ECONNRESET);
	module.info_errno = ESTALE;
	assert_int_equal(channel_status(c, &status), -ECONNRESET);
	module.attached = true;
	munmap(module.header, PAGE);
	channel_close(c);
	module.fd = 0;
}

static void granted_memory_is_mapped_block_by_block(void **state)
{
	const struct channel_region *region;
	struct channel *c;
	size_t count;

	(void)state;
	module_start(ULTRAVISOR_ROLE_SERVER);
	assert_int_equal(channel_open(&c, module.fd, NULL), 0);
	module.memory_errno = EACCES;
	assert_int_equal(channel_memory(c, &region, &count), -EACCES);
	module.memory_errno = 0;
	module.blocks = 2;
	assert_int_equal(channel_memory(c, &region, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(region[0].gpa, 0);
	assert_int_equal(region[1].gpa, 0x100000000);
	assert_int_equal(region[1].length, 2 * PAGE);
	((char *)region[1].base)[2 * PAGE - 1] = 'm';
	module.blocks = 0;			/* what is mapped stays */
	assert_int_equal(channel_memory(c, &region, &count), 0);
	assert_int_equal(count, 2);
	munmap(module.header, PAGE);
	channel_close(c);
	module.fd = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_is_attached_mapped_and_given_back),
		cmocka_unit_test(each_field_of_an_unexpected_geometry_is_refused),
		cmocka_unit_test(each_field_of_an_impossible_header_is_refused),
		cmocka_unit_test(refusals_of_the_module_come_through),
		cmocka_unit_test(granted_memory_is_mapped_block_by_block),
	};

	return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
