// SPDX-License-Identifier: Apache-2.0
/* Leases: past the deadline nothing of a partition runs, and its memory is nobody's. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define MS 1000000ull
#define S (1000 * MS)

static uint64_t boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * S + ts.tv_nsec;
}

static long lease(int partition, unsigned long cmd, uint64_t epoch, uint64_t deadline)
{
	struct ultravisor_lease arg = {
		.size = sizeof(arg), .epoch = epoch, .deadline = deadline,
	};

	return ioctl(partition, cmd, &arg);
}

static long set(int partition, uint64_t epoch, uint64_t deadline)
{
	return lease(partition, ULTRAVISOR_LEASE_SET, epoch, deadline);
}

static long renew(int partition, uint64_t epoch, uint64_t deadline)
{
	return lease(partition, ULTRAVISOR_LEASE_RENEW, epoch, deadline);
}

static void sleep_till(uint64_t boot)
{
	struct timespec ts = { boot / S, boot % S };

	check(!clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &ts, NULL));
}

static bool is_expired(int partition)
{
	return partition_info(partition).out_lease_expired;
}

static void await_expiry(int partition)
{
	for (int i = 0; i < 5000; i++) {
		if (is_expired(partition))
			return;
		sleep_ms(1);
	}
	fail("the lease does not expire");
}

struct runner {
	pthread_t thread;
	int context;
	volatile long result;
};

static void *run(void *arg)
{
	struct runner *runner = arg;

	runner->result = context_run(runner->context) ? errno : 0;
	return NULL;
}

static void start(struct runner *runner, int context)
{
	*runner = (struct runner){ .context = context, .result = -1 };
	check(!pthread_create(&runner->thread, NULL, run, runner));
}

static void a_lease_belongs_to_one_epoch(void)
{
	struct object p = make_partition("leased");
	struct ultravisor_partition_info info = partition_info(p.fd);
	uint64_t far = boot_ns() + 3600 * S;

	check(info.out_lease_deadline == 0 && info.out_lease_epoch == 0);
	fails(ENOENT, renew(p.fd, 1, far));
	fails(EINVAL, set(p.fd, 0, far));
	fails(EINVAL, set(p.fd, 7, 0));
	ok(set(p.fd, 7, far));
	fails(ESTALE, set(p.fd, 8, far));
	fails(ESTALE, renew(p.fd, 6, far));
	fails(EINVAL, renew(p.fd, 0, far));
	fails(EINVAL, renew(p.fd, 7, 0));
	ok(set(p.fd, 7, far + 1));
	ok(renew(p.fd, 7, far + 2));
	info = partition_info(p.fd);
	check(info.out_lease_deadline == far + 2 && info.out_lease_epoch == 7);
	check(!info.out_lease_expired);
	ok(object_destroy(p.id));
	fails(ESHUTDOWN, renew(p.fd, 7, far));
	fails(ESHUTDOWN, set(p.fd, 7, far));
}

/* The same guest without a lease counts on: that is what the lease prevents. */
static void past_the_deadline_the_guest_stands_still(void)
{
	struct runner runner;
	struct guest g;
	uint32_t seen;

	guest_init(&g, "leased", counting, sizeof(counting));
	start(&runner, g.context);
	check(is_counting(&g, 5000));
	ok(set(g.partition.fd, 1, boot_ns() + 100 * MS));
	await_expiry(g.partition.fd);
	check(boot_ns() >= partition_info(g.partition.fd).out_lease_deadline);
	/* A kick to another processor may be under way still; under TCG it takes its time. */
	sleep_ms(20);
	seen = *counter(&g);
	for (int i = 0; i < 20; i++) {
		sleep_ms(10);
		check(*counter(&g) == seen);
	}
	check(runner.result == -1);
	/* Nothing else lets it go on: no resume, no change of its schedule, no other epoch. */
	ok(partition_stop(g.partition.fd));
	ok(partition_resume(g.partition.fd));
	fails(ESTALE, renew(g.partition.fd, 2, boot_ns() + 3600 * S));
	ok(renew(g.partition.fd, 1, boot_ns() - 1));
	sleep_ms(20);
	check(*counter(&g) == seen && is_expired(g.partition.fd));
	ok(renew(g.partition.fd, 1, boot_ns() + 3600 * S));
	check(!is_expired(g.partition.fd));
	check(is_counting(&g, 5000));
	/* Earlier works, too, and now. */
	ok(renew(g.partition.fd, 1, 1));
	await_expiry(g.partition.fd);
	/* A partition that stands still ends as any other. */
	ok(object_destroy(g.partition.id));
	check(!pthread_join(runner.thread, NULL));
	check(runner.result == ESHUTDOWN);
}

static void renewed_in_time_it_never_stops(void)
{
	struct runner runner;
	struct guest g;

	guest_init(&g, "renewed", counting, sizeof(counting));
	ok(set(g.partition.fd, 1, boot_ns() + 5 * S));
	start(&runner, g.context);
	for (int i = 0; i < 200; i++) {
		/* Far and near in turn: the timer moves both ways. */
		ok(renew(g.partition.fd, 1, boot_ns() + (i % 2 ? 5 : 3600) * S));
		sleep_ms(1);
		check(!is_expired(g.partition.fd));
	}
	check(is_counting(&g, 5000));
}

static void it_may_be_over_before_the_start(void)
{
	struct runner runner;
	struct guest g;

	guest_init(&g, "late", counting, sizeof(counting));
	ok(set(g.partition.fd, 1, boot_ns() - S));
	start(&runner, g.context);
	sleep_ms(100);
	check(*counter(&g) == 0 && runner.result == -1);
	ok(renew(g.partition.fd, 1, boot_ns() + 3600 * S));
	check(is_counting(&g, 5000));
}

/* A guest at its deadline, over and over: it counts after each renewal, and never in between. */
static void expiry_and_renewal_race(void)
{
	struct runner runner;
	struct guest g;
	uint32_t seen;

	guest_init(&g, "racing", counting, sizeof(counting));
	start(&runner, g.context);
	ok(set(g.partition.fd, 1, boot_ns() + 3600 * S));
	for (int i = 0; i < 100; i++) {
		uint64_t deadline = boot_ns() + MS;

		ok(renew(g.partition.fd, 1, deadline));
		sleep_till(deadline + (i % 8) * 100000);
		if (i % 10 == 0) {
			await_expiry(g.partition.fd);
			sleep_ms(10);
			seen = *counter(&g);
			sleep_ms(10);
			check(*counter(&g) == seen);
		}
		ok(renew(g.partition.fd, 1, boot_ns() + 3600 * S));
		check(is_counting(&g, 5000));
	}
}

struct served {
	struct object channel;
	int server[2];
	char *memory[2];
};

static struct served serve(struct guest *g)
{
	struct ultravisor_channel_create create = {
		.flags = ULTRAVISOR_CHANNEL_GRANT, .client_size = 4096, .server_size = 4096,
		.doorbells = 1, .client_id = g->partition.id,
	};
	struct served c = { .channel = make_channel(&create) };

	for (int i = 0; i < 2; i++) {
		ok(server_set(c.channel.fd, i, 0xa0 + i));
		c.server[i] = ok(object_open(c.channel.id, ULTRAVISOR_ROLE_SERVER, i));
		ok(attach(c.server[i]));
		c.memory[i] = map_area(c.server[i], ULTRAVISOR_AREA_MEMORY(0), 4096,
				       PROT_READ | PROT_WRITE);
		check(c.memory[i] != MAP_FAILED);
	}
	return c;
}

static void await_epoch(int channel, uint64_t epoch)
{
	for (int i = 0; i < 5000; i++) {
		if (channel_info(channel).out_epoch >= epoch)
			return;
		sleep_ms(1);
	}
	fail("the channel stays at epoch %llu",
	     (unsigned long long)channel_info(channel).out_epoch);
}

static void the_servers_lose_its_memory(void)
{
	struct ultravisor_channel_info info;
	struct served c, late;
	struct guest g;

	guest_init(&g, "granting", counting, sizeof(counting));
	c = serve(&g);
	check(touch_write(c.memory[0]) == 0);
	ok(set(g.partition.fd, 1, boot_ns() + 50 * MS));
	await_expiry(g.partition.fd);
	await_epoch(c.channel.fd, 2);
	check(touch_read(c.memory[0]) == SIGBUS);
	check(touch_read(c.memory[1]) == SIGBUS);
	info = channel_info(c.channel.fd);
	check(info.out_serving == ULTRAVISOR_NO_SLOT);
	check(info.out_slots[0] == ULTRAVISOR_SLOT_ABSENT);
	check(info.out_slots[1] == ULTRAVISOR_SLOT_STANDBY);
	fails(ETIME, promote(c.channel.fd, 1, NULL));
	fails(ENOTCONN, promote(c.channel.fd, 0, NULL));
	ok(attach(c.server[0]));
	check(touch_read(c.memory[0]) == SIGBUS);
	check(!endpoint_info(c.server[0]).out_serving);
	check(channel_info(c.channel.fd).out_epoch == 2);
	/* A channel that is made now begins the same way. */
	late = serve(&g);
	check(channel_info(late.channel.fd).out_serving == ULTRAVISOR_NO_SLOT);
	check(touch_read(late.memory[0]) == SIGBUS);

	ok(renew(g.partition.fd, 1, boot_ns() + 3600 * S));
	info = channel_info(c.channel.fd);
	check(info.out_serving == 0 && info.out_epoch == 3);
	check(touch_write(c.memory[0]) == 0);
	check(touch_read(c.memory[1]) == SIGBUS);
	check(touch_write(late.memory[0]) == 0);
	ok(promote(c.channel.fd, 1, NULL));
}

/* No standby serves a partition whose lease is over, whatever happens to the server. */
static void nobody_is_promoted_meanwhile(void)
{
	struct served c;
	struct guest g;

	guest_init(&g, "parked", counting, sizeof(counting));
	c = serve(&g);
	ok(set(g.partition.fd, 1, 1));
	await_epoch(c.channel.fd, 2);
	ok(attach(c.server[0]));
	ok(detach(c.server[0]));
	check(channel_info(c.channel.fd).out_serving == ULTRAVISOR_NO_SLOT);
	ok(channel_revoke(c.channel.fd, ULTRAVISOR_REVOKE_SLOT, 0));
	check(channel_info(c.channel.fd).out_serving == ULTRAVISOR_NO_SLOT);
	ok(renew(g.partition.fd, 1, boot_ns() + 3600 * S));
	check(channel_info(c.channel.fd).out_serving == 1);
	check(touch_write(c.memory[1]) == 0);
}

/* The pvclock's flag of a host that was away: bit 1 of byte 29. The guest has it at 0x5000. */
static void a_long_stop_is_told_to_the_guest(void)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry entry; } msrs = {
		.head.nmsrs = 1,
		.entry = { .index = 0x4b564d01, .data = 0x5000 | 1 },
	};
	struct runner runner;
	struct guest g;
	volatile uint8_t *flags;

	guest_init(&g, "clock", counting, sizeof(counting));
	check(context_kvm(g.context, KVM_SET_MSRS, (unsigned long)&msrs) == 1);
	flags = g.memory + 0x5000 + 29;
	start(&runner, g.context);
	check(is_counting(&g, 5000));
	check(!(*flags & 2));
	ok(partition_stop(g.partition.fd));
	sleep_ms(100);
	ok(partition_resume(g.partition.fd));
	check(is_counting(&g, 5000));
	check(!(*flags & 2));
	ok(partition_stop(g.partition.fd));
	sleep_ms(1200);
	ok(partition_resume(g.partition.fd));
	check(is_counting(&g, 5000));
	check(*flags & 2);
}

static void set_file(const char *path, const char *text)
{
	int fd = ok(open(path, O_WRONLY));

	check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/*
 * As far as a test host gets, whose root is a network file system: every process is frozen for a
 * while, and thawed. (A task that waits for that file system just then refuses: once more.)
 */
static void suspend(void)
{
	int fd = ok(open("/sys/power/state", O_WRONLY)), tries = 0;

	set_file("/sys/power/pm_freeze_timeout", "3000");
	set_file("/sys/module/suspend/parameters/pm_test_delay", "2");
	set_file("/sys/power/pm_test", "freezer");
	while (write(fd, "mem", 3) != 3)
		check(errno == EBUSY && ++tries < 4);
	set_file("/sys/power/pm_test", "none");
	close(fd);
}

/* As a monitor does: KVM_RUN, too, ends with EINTR when its thread is frozen. */
static void *run_on(void *arg)
{
	const struct guest *g = arg;

	while (context_run(g->context) && errno == EINTR)
		;
	fail("a runner has ended: %s", strerror(errno));
	return NULL;
}

static void contexts_do_not_keep_the_host_awake(void)
{
	struct guest leased, stopped, lasting;
	pthread_t runner;
	uint32_t seen;

	if (access("/sys/power/state", W_OK)) {
		printf("       this kernel cannot be suspended\n");
		return;
	}
	guest_init(&leased, "leased", counting, sizeof(counting));
	guest_init(&stopped, "stopped", counting, sizeof(counting));
	guest_init(&lasting, "lasting", counting, sizeof(counting));
	check(!pthread_create(&runner, NULL, run_on, &leased));
	check(!pthread_create(&runner, NULL, run_on, &stopped));
	check(!pthread_create(&runner, NULL, run_on, &lasting));
	check(is_counting(&leased, 5000) && is_counting(&stopped, 5000));
	ok(partition_stop(stopped.partition.fd));
	ok(set(leased.partition.fd, 1, boot_ns() + 1 * S));
	ok(set(lasting.partition.fd, 1, boot_ns() + 3600 * S));
	suspend();
	check(is_expired(leased.partition.fd) && !is_expired(lasting.partition.fd));
	sleep_ms(20);
	seen = *counter(&leased);
	check(is_counting(&lasting, 5000));
	check(*counter(&leased) == seen);
	ok(renew(leased.partition.fd, 1, boot_ns() + 3600 * S));
	check(is_counting(&leased, 5000));
	ok(partition_resume(stopped.partition.fd));
	check(is_counting(&stopped, 5000));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "a lease belongs to one epoch", a_lease_belongs_to_one_epoch },
		{ "past the deadline the guest stands still",
		  past_the_deadline_the_guest_stands_still },
		{ "renewed in time it never stops", renewed_in_time_it_never_stops },
		{ "it may be over before the start", it_may_be_over_before_the_start },
		{ "expiry and renewal race", expiry_and_renewal_race },
		{ "the servers lose its memory", the_servers_lose_its_memory },
		{ "nobody is promoted meanwhile", nobody_is_promoted_meanwhile },
		{ "a long stop is told to the guest", a_long_stop_is_told_to_the_guest },
		{ "contexts do not keep the host awake", contexts_do_not_keep_the_host_awake },
	};

	return RUN_TESTS(tests);
}
