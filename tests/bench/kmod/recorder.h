/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that spins, and tells by its own clock when it did not run: each step longer than a
 * threshold is a gap, noted with the moments before and after it. What the module or the scheduler
 * believes of itself does not enter. In a test host with --icount the time-stamp counter counts
 * nanoseconds, nearly: the rest is measured.
 */
#ifndef TESTS_BENCH_KMOD_RECORDER_H
#define TESTS_BENCH_KMOD_RECORDER_H

#include "common.h"

#define RECORDER_GAPS 4096
extern const uint8_t recorder_code[];
extern const size_t recorder_size;

struct gap {
	uint64_t last, first;		/* CLOCK_MONOTONIC, ns: guest ran until and from there */
};

/* The guest's counter beside the host's clock. */
struct recorder {
	uint8_t *memory;
	uint64_t tsc, ns;		/* a moment in both */
	double ns_per_tick;
};

/* In the guest's memory, before it runs: gaps longer than that are noted. */
void recorder_prepare(uint8_t *memory, uint32_t threshold_ns);
/*
 * Takes the guest's clock from its vCPU, before it runs (KVM would wait for its next exit):
 * get_msrs calls KVM_GET_MSRS on it. What is measured is over 2 s later: half of where the
 * counter wraps.
 */
void recorder_open(struct recorder *r, uint8_t *memory,
		   long (*get_msrs)(void *arg, struct kvm_msrs *msrs), void *arg);
bool recorder_runs(const struct recorder *r);
/* Its last moment, as of now; how many gaps it has noted; one of them. */
uint64_t recorder_latest(const struct recorder *r);
size_t recorder_count(const struct recorder *r);
struct gap recorder_gap(const struct recorder *r, size_t i);

#endif /* TESTS_BENCH_KMOD_RECORDER_H */
