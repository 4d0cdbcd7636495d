// SPDX-License-Identifier: Apache-2.0
/* Objects: found, opened and destroyed by id, and listed while anything of them is left. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common.h"

#define OBJECTS "/sys/kernel/debug/ultravisor/objects"

static void ids_and_roles_are_checked(void)
{
	struct ultravisor_channel_create create = { .client_size = 4096 };
	struct object p, c;
	const uint64_t nobody = 1ull << 40;

	ok(partition_create("prepared", &p));
	ok(channel_create(&create, &c));
	/* Prepared, nobody but a control descriptor has it. */
	fails(EAGAIN, object_open(p.id, ULTRAVISOR_ROLE_MONITOR, 0));
	fails(EAGAIN, object_open(c.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(object_open(p.id, ULTRAVISOR_ROLE_CONTROL, 0));
	ok(object_publish(p.id));
	ok(object_publish(p.id));
	ok(object_publish(c.id));
	fails(ENOENT, object_publish(nobody));
	fails(ENOENT, object_destroy(nobody));
	fails(ENOENT, object_open(nobody, ULTRAVISOR_ROLE_CONTROL, 0));
	fails(ENOENT, object_open(c.id, ULTRAVISOR_ROLE_MONITOR, 0));
	fails(ENOENT, object_open(p.id, ULTRAVISOR_ROLE_CLIENT, 0));
	fails(EINVAL, object_open(p.id, ULTRAVISOR_ROLE_MONITOR, 1));
	fails(EINVAL, object_open(c.id, ULTRAVISOR_ROLE_SERVER, 4));
	fails(ENXIO, object_open(c.id, ULTRAVISOR_ROLE_SERVER, 0));
	fails(EOPNOTSUPP, object_open(c.id, 5, 0));
	ok(channel_revoke(c.fd, ULTRAVISOR_REVOKE_ALL, 0));
	fails(ESHUTDOWN, object_open(c.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(object_destroy(c.id));
	fails(ENOENT, object_destroy(c.id));
}

static void the_dead_answer_that_they_are(void)
{
	static const uint8_t halt[] = { 0xf4 };
	struct ultravisor_vm_create create = { .size = sizeof(create) };
	struct object other;
	struct guest g;
	int monitor;

	guest_init(&g, "dead", halt, sizeof(halt));
	ok(object_destroy(g.partition.id));
	fails(ESHUTDOWN, context_create(g.partition.fd, 1, 0, 0));
	fails(ESHUTDOWN, context_set(g.partition.fd, ULTRAVISOR_CONTEXT_SET, 0,
				     ULTRAVISOR_CONTEXT_SHARED, 1, 0, 0));
	fails(ESHUTDOWN, memory_add(g.partition.fd, 1ull << 30, GUEST_SIZE, g.memfd));
	fails(ESHUTDOWN, partition_stop(g.partition.fd));
	fails(ESHUTDOWN, partition_resume(g.partition.fd));
	fails(ESHUTDOWN, vm_kvm(g.monitor, KVM_GET_API_VERSION, 0));
	fails(ESHUTDOWN, context_open(g.monitor, 0));
	fails(ESHUTDOWN, context_run(g.context));
	check(partition_info(g.partition.fd).out_state == ULTRAVISOR_PARTITION_DEAD);

	other = make_partition("without a VM");
	monitor = ok(object_open(other.id, ULTRAVISOR_ROLE_MONITOR, 0));
	ok(object_destroy(other.id));
	fails(ESHUTDOWN, ioctl(monitor, ULTRAVISOR_VM_CREATE, &create));
}

static void slots_are_checked(void)
{
	struct ultravisor_channel_create create = { .client_size = 4096 };
	struct object c = make_channel(&create);

	fails(EINVAL, server_set(c.fd, ULTRAVISOR_MAX_SERVERS, 0xa0));
	fails(EINVAL, promote(c.fd, ULTRAVISOR_MAX_SERVERS, NULL));
	fails(EINVAL, channel_revoke(c.fd, ULTRAVISOR_REVOKE_SLOT, ULTRAVISOR_MAX_SERVERS));
	fails(EINVAL, channel_revoke(c.fd, ULTRAVISOR_REVOKE_ALL, 1));
	fails(EINVAL, channel_revoke(c.fd, ULTRAVISOR_REVOKE_CLIENT, 1));
	fails(EOPNOTSUPP, channel_revoke(c.fd, 4, 0));
}

/* The line of an object; empty if it has none. */
static const char *line_of(uint64_t id)
{
	static char line[512];
	FILE *f = fopen(OBJECTS, "re");
	unsigned long long n;

	check(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%llu", &n) == 1 && n == id) {
			fclose(f);
			return line;
		}
	fclose(f);
	return "";
}

static void expect_line(uint64_t id, const char *text)
{
	if (!strstr(line_of(id), text))
		fail("object %llu is listed as '%s', without '%s'", (unsigned long long)id,
		     line_of(id), text);
}

static void a_list_says_what_is_left_of_them(void)
{
	struct ultravisor_channel_create create = { .client_size = 4096, .doorbells = 1 };
	struct object p, c;
	char text[64];
	int end;

	ok(partition_create("listed", &p));
	expect_line(p.id,
		    " partition 0 11111111-1111-1111-1111-111111111111 prepared name=listed ");
	ok(object_publish(p.id));
	expect_line(p.id, " partition 1 ");
	expect_line(p.id, " running ");
	create.client_id = p.id;
	c = make_channel(&create);
	snprintf(text, sizeof(text), " client=%llu bytes=8192 ", (unsigned long long)p.id);
	expect_line(c.id, text);
	expect_line(p.id, " channels=1 channel_bytes=8192 ");
	end = ok(object_open(c.id, ULTRAVISOR_ROLE_CLIENT, 0));
	ok(attach(end));
	ok(ring(end, 0));
	expect_line(c.id, " client_attached=1 serving=-1 attached=---- rings_to_server=1 ");
	ok(object_destroy(p.id));
	expect_line(p.id, " dead ");
	expect_line(c.id, " revoked ");
	ok(object_destroy(c.id));
	/* Destroyed, and still there: somebody holds a descriptor. That is why rmmod fails. */
	expect_line(c.id, " revoked ");
	close(end);
	close(c.fd);
	close(p.fd);
	for (int i = 0; *line_of(p.id) || *line_of(c.id); i++) {
		check(i < 500);
		sleep_ms(10);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "ids and roles are checked", ids_and_roles_are_checked },
		{ "the dead answer that they are", the_dead_answer_that_they_are },
		{ "slots are checked", slots_are_checked },
		{ "a list says what is left of them", a_list_says_what_is_left_of_them },
	};

	return RUN_TESTS(tests);
}
