// SPDX-License-Identifier: Apache-2.0
#include <x86intrin.h>

#include "recorder.h"

#define LATEST		0x3004
#define THRESHOLD	0x3008
#define NEXT		0x300c
#define GAPS		0x8000
#define TSC_MSR		0x10

const uint8_t recorder_code[] = {
	0xbf, 0x00, 0x80,			/* start: mov di, 0x8000 */
	0x0f, 0x31, 0x66, 0x89, 0xc3,		/* rdtsc; mov ebx, eax */
	0x66, 0x89, 0x1e, 0x04, 0x30,		/* next: mov [0x3004], ebx */
	0x0f, 0x31, 0x66, 0x89, 0xc1,		/* rdtsc; mov ecx, eax */
	0x66, 0x29, 0xd8,			/* sub eax, ebx */
	0x66, 0x3b, 0x06, 0x08, 0x30,		/* cmp eax, [0x3008] */
	0x73, 0x05,				/* jae gap */
	0x66, 0x89, 0xcb, 0xeb, 0xe7,		/* mov ebx, ecx; jmp next */
	0x66, 0x89, 0x1d,			/* gap: mov [di], ebx */
	0x66, 0x89, 0x4d, 0x04,			/* mov [di + 4], ecx */
	0x66, 0x89, 0xcb,			/* mov ebx, ecx */
	0x83, 0xc7, 0x08,			/* add di, 8 */
	0x89, 0x3e, 0x0c, 0x30,			/* mov [0x300c], di */
	0x75, 0xd4,				/* jnz next */
	0xf4, 0xeb, 0xc9,			/* hlt; jmp start: the monitor never lets it */
};
const size_t recorder_size = sizeof(recorder_code);

static volatile uint32_t *word(const struct recorder *r, size_t at)
{
	return (volatile uint32_t *)(r->memory + at);
}

struct instant {
	uint64_t ns, tsc;
};

/* The clock is read somewhere between two looks at the counter: the closest say it best. */
static struct instant look(void)
{
	uint64_t shortest = ~0ull;
	struct instant best;

	for (int i = 0; i < 50; i++) {
		const uint64_t before = __rdtsc(), ns = clock_ns(), took = __rdtsc() - before;

		if (took >= shortest)
			continue;
		shortest = took;
		best = (struct instant){ ns, before + took / 2 };
	}
	return best;
}

/* Nanoseconds a tick of the host's counter, over a while. */
static double find_rate(void)
{
	const struct instant begin = look();
	struct instant end;

	sleep_ms(20);
	end = look();
	return (double)(end.ns - begin.ns) / (double)(end.tsc - begin.tsc);
}

void recorder_prepare(uint8_t *memory, uint32_t threshold_ns)
{
	const uint32_t threshold = threshold_ns / find_rate(), next = GAPS;

	memcpy(memory + THRESHOLD, &threshold, sizeof(threshold));
	memcpy(memory + NEXT, &next, sizeof(next));
}

void recorder_open(struct recorder *r, uint8_t *memory,
		   long (*get_msrs)(void *arg, struct kvm_msrs *msrs), void *arg)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry.index = TSC_MSR };
	uint64_t before, after, shortest = ~0ull;

	r->memory = memory;
	r->ns_per_tick = find_rate();
	/* The counter is read somewhere within the call: the shortest says it best. */
	for (int i = 0; i < 50; i++) {
		before = clock_ns();
		check(get_msrs(arg, &msrs.head) == 1);
		after = clock_ns();
		if (after - before >= shortest)
			continue;
		shortest = after - before;
		r->tsc = msrs.entry.data;
		r->ns = before + (after - before) / 2;
	}
}

bool recorder_runs(const struct recorder *r)
{
	const uint32_t seen = *word(r, LATEST);

	for (int i = 0; i < 2000; i++) {
		if (*word(r, LATEST) != seen)
			return true;
		sleep_ms(1);
	}
	return false;
}

/* Within 2 s of the moment that is known in both clocks. */
static uint64_t moment(const struct recorder *r, uint32_t tsc)
{
	const int32_t ticks = tsc - (uint32_t)r->tsc;

	return r->ns + (int64_t)(ticks * r->ns_per_tick);
}

uint64_t recorder_latest(const struct recorder *r)
{
	return moment(r, *word(r, LATEST));
}

size_t recorder_count(const struct recorder *r)
{
	const uint16_t next = *word(r, NEXT);

	return next ? (next - GAPS) / 8 : RECORDER_GAPS;
}

struct gap recorder_gap(const struct recorder *r, size_t i)
{
	return (struct gap){
		.last = moment(r, *word(r, GAPS + 8 * i)),
		.first = moment(r, *word(r, GAPS + 8 * i + 4)),
	};
}
