/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmarks of the module share: a guest under plain KVM to compare with, medians, and
 * lines of a table that say by themselves where an aim was missed. Times are nanoseconds; in a test
 * host with --icount a nanosecond is one instruction.
 */
#ifndef TESTS_BENCH_KMOD_COMMON_H
#define TESTS_BENCH_KMOD_COMMON_H

#include <pthread.h>

#include "../../host/kmod/common.h"

/* Opens /dev/ultravisor for the helpers of tests/host/kmod; ends the program if it cannot. */
void bench_open(void);

/* A guest of one vCPU under KVM itself, as any monitor makes it: the peer of struct guest. */
struct plain {
	int vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
};
void plain_init(struct plain *plain, const void *code, size_t size);

/*
 * A thread that runs a guest, under the module or under KVM, for the life of the process: it ends
 * the process if the guest comes back.
 */
struct spinner {
	pthread_t thread;
	struct guest *guest;
	struct plain *plain;		/* if there is no guest */
	volatile pid_t tid;
};
void spin_guest(struct spinner *spinner, struct guest *guest);
void spin_plain(struct spinner *spinner, struct plain *plain);

/* KVM_GET_MSRS on a vCPU of either kind, for recorder_open. */
long guest_msrs(void *guest, struct kvm_msrs *msrs);
long plain_msrs(void *plain, struct kvm_msrs *msrs);

/* A processor to a partition's windows and real-time budgets; false if the module has none. */
bool give_processor(uint32_t cpu, uint64_t frame_ns);
/* guest_define with a context of any kind; false if this module does not know that kind. */
bool define_with(struct guest *guest, const char *name, struct ultravisor_context_set *context);

/* Another process that takes all the time it can get, until bench_alone. */
void bench_hog(void);
void bench_alone(void);
/* Runs f(arg) in a process of its own; what it has made in the module is destroyed. */
void bench_apart(void (*f)(void *arg), void *arg);
/* This thread wakes up when it wants to, whoever else is busy; its children are as others. */
void bench_urgent(void);
void sleep_until(uint64_t ns);

/* Values, in the order in which they came until one of the functions sorts them. */
struct sample {
	double *value;
	size_t count, room;
};
void sample_add(struct sample *s, double value);
double sample_rank(struct sample *s, double rank);	/* 0: smallest, 0.5: median, 1: largest */
double sample_deviation(const struct sample *s);	/* standard */

/* One line: what, the figure with its unit, and if there is a bar whether it is kept. */
void report(const char *what, double value, const char *unit);
void report_at_most(const char *what, double value, const char *unit, double bar);
/* The same as a ratio of another figure; bar 0: none. */
void report_ratio(const char *what, double value, const char *unit, double peer, double bar);
void report_absent(const char *what, const char *why);

#endif /* TESTS_BENCH_KMOD_COMMON_H */
