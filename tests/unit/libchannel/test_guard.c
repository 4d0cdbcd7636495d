// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that is taken away: a touch inside a guard loses the channel and nothing else; every other
 * SIGBUS is none of the guard's business. The attack is ftruncate of an area's memfd, which is what
 * a hostile peer could do to an anonymous channel, and looks like the module's revocation.
 */
#include "helper.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t big[256 * 1024];
static volatile sig_atomic_t seen_by_previous;
static sigjmp_buf previous_back;

static void previous_handler(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	seen_by_previous++;
	siglongjmp(previous_back, 1);
}

static void touching_lost_memory_loses_the_channel(void **state)
{
	uint64_t word64;
	uint32_t word32;
	struct ends e;
	int fd;

	(void)state;
	ends_open_bare(&e, 8192);
	fd = area_fd("channel-client");
	assert_int_equal(channel_copy_in(e.server, big, channel_peer(e.server), 8192), 0);
	assert_false(channel_lost(e.server));
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(channel_copy_in(e.server, big, channel_peer(e.server), 4096), 0);
	assert_int_equal(channel_copy_in(e.server, big, channel_peer(e.server), 8192), -ECONNRESET);
	assert_true(channel_lost(e.server));
	assert_false(channel_lost(e.client));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(channel_load_u32(e.server, channel_peer(e.server), &word32), -ECONNRESET);
	assert_int_equal(channel_load_u64(e.server, channel_peer(e.server), &word64), -ECONNRESET);
	assert_int_equal(channel_copy_out(e.client, channel_own(e.client), big, 1), -ECONNRESET);
	assert_true(channel_lost(e.client));
	ends_close(&e);
}

static void a_lost_ring_reports_so_from_every_call(void **state)
{
	struct packet_counters k;
	struct packet_ring *again;
	struct ends e;

	(void)state;
	ends_open(&e, 8192);
	assert_int_equal(packet_send(e.to_server, "one", 3), 0);
	assert_int_equal(ftruncate(area_fd("channel-client"), 0), 0);
	assert_int_equal(packet_receive(e.to_client, big, sizeof(big)), -ECONNRESET);
	assert_int_equal(packet_send(e.to_server, "two", 3), -ECONNRESET);
	assert_true(channel_lost(e.server));
	assert_true(channel_lost(e.client));
	assert_int_equal(packet_receive(e.to_client, big, sizeof(big)), -ECONNRESET);
	assert_int_equal(packet_send(e.to_client, "two", 3), -ECONNRESET);
	assert_int_equal(packet_receive_wait(e.to_client, big, sizeof(big), -1), -ECONNRESET);
	assert_int_equal(packet_send_wait(e.to_client, "two", 3, -1), -ECONNRESET);
	assert_true(packet_prepare_wait(e.to_client));
	packet_clear_wait(e.to_client);
	packet_counters(e.to_client, &k);
	assert_int_equal(k.packets_received, 0);
	assert_int_equal(packet_open(&again, e.client), -ECONNRESET);
	ends_close(&e);
}

struct cut {
	int fd;
	_Atomic bool go;
};

static void *cut_off(void *argument)
{
	struct cut *cut = argument;

	while (!cut->go)
		;
	ftruncate(cut->fd, 0);
	return NULL;
}

static void memory_revoked_in_the_middle_of_a_copy(void **state)
{
	unsigned int round, copies;
	const void *from;
	void *to;
	struct cut cut;
	pthread_t thread;
	struct ends e;
	int rc;

	(void)state;
	for (round = 0; round < 100; round++) {
		ends_open_bare(&e, sizeof(big));
		from = channel_peer(e.server);
		to = channel_own(e.client);
		cut = (struct cut){ .fd = area_fd("channel-client") };
		assert_int_equal(pthread_create(&thread, NULL, cut_off, &cut), 0);
		for (copies = 0; copies < 1000000; copies++) {
			if (round % 2)
				rc = channel_copy_in(e.server, big, from, sizeof(big));
			else
				rc = channel_copy_out(e.client, to, big, sizeof(big));
			if (rc)
				break;
			cut.go = true;
		}
		assert_int_equal(rc, -ECONNRESET);
		pthread_join(thread, NULL);
		ends_close(&e);
	}
}

static void granted_memory_is_guarded_as_well(void **state)
{
	const struct channel_region *region;
	size_t count;
	struct ends e;
	int fd;

	(void)state;
	ends_open_bare(&e, 4096);
	assert_int_equal(channel_memory(e.server, &region, &count), -EACCES);
	assert_int_equal(channel_memory(e.client, &region, &count), -EINVAL);
	fd = memfd_create("guest", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(channel_grant_pair(e.client, 0, fd, 1 << 20), -EINVAL);
	assert_int_equal(channel_grant_pair(e.server, 0x100000, fd, 1 << 20), 0);
	assert_int_equal(channel_memory(e.server, &region, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(region->gpa, 0x100000);
	assert_int_equal(region->length, 1 << 20);
	assert_int_equal(channel_copy_in(e.server, big, region->base, 4096), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(channel_copy_in(e.server, big, region->base, 4096), -ECONNRESET);
	assert_true(channel_lost(e.server));
	close(fd);
	ends_close(&e);
}

static void a_fault_elsewhere_goes_to_the_handler_before(void **state)
{
	struct sigaction before = {
		.sa_sigaction = previous_handler, .sa_flags = SA_SIGINFO | SA_NODEFER,
	};
	struct ends e, other;
	volatile uint8_t *foreign;
	int fd;

	(void)state;
	assert_int_equal(sigaction(SIGBUS, &before, NULL), 0);
	ends_open_bare(&e, 4096);
	ends_open_bare(&other, 4096);
	fd = area_fd("channel-client");		/* other's */
	assert_int_equal(ftruncate(fd, 0), 0);
	foreign = channel_own(other.client);

	/* Outside of any guard. */
	seen_by_previous = 0;
	if (!sigsetjmp(previous_back, 1))
		foreign[0] = 1;
	assert_int_equal(seen_by_previous, 1);
	assert_false(channel_lost(other.client));

	/* Inside the guard of another channel. */
	if (!sigsetjmp(previous_back, 1)) {
		if (channel_guard_begin(e.client))
			fail_msg("the wrong channel was found guilty");
		foreign[0] = 1;
	}
	channel_guard_end(e.client);
	assert_int_equal(seen_by_previous, 2);
	assert_false(channel_lost(e.client));
	assert_false(channel_lost(other.client));

	/* A signal that was sent, while a guard is up. */
	if (!sigsetjmp(previous_back, 1)) {
		if (channel_guard_begin(e.client))
			fail_msg("a sent signal is no fault");
		raise(SIGBUS);
	}
	channel_guard_end(e.client);
	assert_int_equal(seen_by_previous, 3);
	assert_false(channel_lost(e.client));
	ends_close(&e);
	ends_close(&other);
}

static int touch_outside(void *argument)
{
	volatile uint8_t *own = argument;

	own[0] = 1;
	return 0;
}

/* The attack without the protection. */
static void without_a_guard_the_process_would_die(void **state)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, kept;
	struct ends e;
	pid_t pid;

	(void)state;
	ends_open_bare(&e, 4096);
	assert_int_equal(ftruncate(area_fd("channel-client"), 0), 0);
	sigaction(SIGBUS, &action, &kept);
	pid = child_start(touch_outside, channel_own(e.client));
	assert_int_equal(child_end(pid), 128 + SIGBUS);
	sigaction(SIGBUS, &kept, NULL);
	ends_close(&e);
}

static void *lose_one(void *argument)
{
	struct ends *e = argument;
	int rc = 0;

	while (!rc)
		rc = channel_copy_in(e->server, &(uint64_t){ 0 }, channel_peer(e->server), 8);
	return NULL;
}

static void guards_are_per_thread(void **state)
{
	struct ends e, other;
	pthread_t thread;
	int fd, i;

	(void)state;
	ends_open_bare(&other, 4096);
	fd = area_fd("channel-client");
	ends_open_bare(&e, 4096);
	assert_int_equal(pthread_create(&thread, NULL, lose_one, &other), 0);
	for (i = 0; i < 100000; i++) {
		assert_int_equal(channel_copy_in(e.server, big, channel_peer(e.server), 64), 0);
		if (i == 50000)
			assert_int_equal(ftruncate(fd, 0), 0);
	}
	pthread_join(thread, NULL);
	assert_true(channel_lost(other.server));
	assert_false(channel_lost(e.server));
	ends_close(&e);
	ends_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(touching_lost_memory_loses_the_channel),
		cmocka_unit_test(a_lost_ring_reports_so_from_every_call),
		cmocka_unit_test(memory_revoked_in_the_middle_of_a_copy),
		cmocka_unit_test(granted_memory_is_guarded_as_well),
		cmocka_unit_test(a_fault_elsewhere_goes_to_the_handler_before),
		cmocka_unit_test(without_a_guard_the_process_would_die),
		cmocka_unit_test(guards_are_per_thread),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
