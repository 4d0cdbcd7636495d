/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the module share: /dev/ultravisor by name, a guest of a few bytes, and
 * checks that stop the test with the line that failed.
 */
#ifndef TESTS_HOST_KMOD_COMMON_H
#define TESTS_HOST_KMOD_COMMON_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <linux/kvm.h>
#include <linux/ultravisor.h>

#define fail(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)
#define check(x) do { if (!(x)) fail("not so: %s", #x); } while (0)
/* The call succeeds; its result. */
#define ok(x) ({ long r_ = (x); if (r_ < 0) fail("%s: %s", #x, strerror(errno)); r_; })
/* The call fails with that errno. */
#define fails(e, x) do { \
	errno = 0; \
	long r_ = (long)(x); \
	if (r_ != -1 || errno != (e)) \
		fail("%s: result %ld, %s; expected %s", #x, r_, strerror(errno), strerror(e)); \
} while (0)

void fail_at(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* A test of a group: run() runs each in a child of its own, so that one cannot spoil the next. */
struct test {
	const char *name;
	void (*run)(void);
};
int run_tests(int argc, char **argv, const struct test *tests, size_t count);
#define RUN_TESTS(tests) run_tests(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]))

/* ---- /dev/ultravisor ---- */
extern int device;			/* opened by run_tests */
uint64_t clock_ns(void);
void sleep_ms(unsigned int ms);
void fill_uuid(uint8_t *uuid, uint8_t byte);

/* Objects: made, published, and remembered for the end of the test. */
struct object {
	uint64_t id;
	int fd;
};
struct object make_partition(const char *name);
struct object make_channel(const struct ultravisor_channel_create *create);
long partition_create(const char *name, struct object *object);
/* libchannel has one of that name inside, and some tests link both. */
#define channel_create test_channel_create
long channel_create(const struct ultravisor_channel_create *create, struct object *object);
long object_publish(uint64_t id);
long object_destroy(uint64_t id);
long object_open(uint64_t id, uint32_t role, uint32_t slot);	/* descriptor or -1 */

/* ---- a partition with a guest ---- */
#define GUEST_SIZE (2u << 20)
#define GUEST_START 0x1000		/* real mode, ip */

struct guest {
	struct object partition;
	int monitor;
	int memfd;
	uint8_t *memory;
	int context;
	struct kvm_run *run;
};

/* A memfd of that size, sealed so that it may be added. */
int make_memfd(size_t size);
long memory_add(int partition, uint64_t gpa, uint64_t length, int fd);
void seal_for_grants(int memfd);
long context_create(int partition, uint32_t index, uint64_t budget_ns, uint64_t period_ns);
long context_set(int partition, unsigned long cmd, uint32_t index, uint32_t mode, uint64_t cpus,
		 uint64_t budget_ns, uint64_t period_ns);
long vm_kvm(int monitor, uint32_t cmd, unsigned long arg);
long context_kvm(int context, uint32_t cmd, unsigned long arg);
long context_open(int monitor, uint32_t index);
long context_run(int context);
long partition_stop(int partition);
long partition_resume(int partition);
struct ultravisor_context_info context_info(int partition, uint32_t index);
struct ultravisor_partition_info partition_info(int partition);

/* uvd's half and the monitor's half of a guest of one context, ready to run that code. */
void guest_define(struct guest *guest, const char *name, uint64_t budget_ns, uint64_t period_ns);
void guest_build(struct guest *guest, const void *code, size_t size, bool irqchip);
void guest_init(struct guest *guest, const char *name, const void *code, size_t size);

/* Code that counts at GUEST_COUNTER, without an exit; and whether it does, within that time. */
#define GUEST_COUNTER 0x3000
extern const uint8_t counting[7];
volatile uint32_t *counter(struct guest *guest);
bool is_counting(struct guest *guest, unsigned int ms);

/* ---- channels ---- */
long server_set(int channel, uint32_t slot, uint8_t uuid_byte);
long attach(int endpoint);
long detach(int endpoint);
long ring(int endpoint, uint32_t index);
long bind_doorbell(int endpoint, uint32_t index, uint32_t what, int fd);
long promote(int channel, uint32_t slot, uint64_t *epoch);
long channel_revoke(int channel, uint32_t what, uint32_t slot);
struct ultravisor_endpoint_info endpoint_info(int endpoint);
struct ultravisor_channel_info channel_info(int channel);
void *map_area(int endpoint, uint64_t area, size_t size, int prot);	/* MAP_FAILED */
/* 0: the byte could be read (written); SIGBUS or SIGSEGV: that came instead. */
int touch_read(const volatile void *address);
int touch_write(volatile void *address);

/* ---- processes ---- */
/* Runs f(arg) in a child with a socket to it; the child stays until told to go, or is killed. */
struct peer {
	pid_t pid;
	int socket;
};
struct peer fork_peer(void (*f)(int socket, void *arg), void *arg);
void say(int socket, char word);
void hear(int socket, char word);
void kill_peer(struct peer *peer);
void end_peer(struct peer *peer);	/* it ends by itself, with status 0 */

#endif /* TESTS_HOST_KMOD_COMMON_H */
