/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves as in Intel's SDM vol. 2A, CPUID, and AMD's APM vol. 3, appendix E. */
#include "cpuid.h"
#include "kvm.h"

#define ECX1_TSC_DEADLINE	(1U << 24)
#define ECX1_HYPERVISOR		(1U << 31)
#define EDX1_HTT		(1U << 28)
#define ECX81_CMP_LEGACY	(1U << 1)
#define LEVEL_THREAD		1U
#define LEVEL_CORE		2U

int cpuid_read(int partition, struct cpuid *c)
{
	int rc;

	c->head.nent = CPUID_MAX_ENTRIES;
	rc = kvm_vm_ptr(partition, KVM_GET_SUPPORTED_CPUID, c);
	return rc < 0 ? rc : 0;
}

/* Bits of the APIC id that number cores. */
static unsigned int core_bits(unsigned int count)
{
	unsigned int bits = 0;

	while (1U << bits < count)
		bits++;
	return bits;
}

static void extended_topology(struct kvm_cpuid_entry2 *e, unsigned int index, unsigned int count)
{
	e->edx = index;
	switch (e->index) {
	case 0:
		e->eax = 0;		/* threads take no bits of the id */
		e->ebx = 1;
		e->ecx = LEVEL_THREAD << 8;
		break;
	case 1:
		e->eax = core_bits(count);
		e->ebx = count;
		e->ecx = LEVEL_CORE << 8 | 1;
		break;
	default:
		e->eax = e->ebx = 0;
		e->ecx = e->index;
	}
}

static void place(struct kvm_cpuid_entry2 *e, unsigned int index, unsigned int count,
		  bool tsc_deadline)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xffff) | count << 16 | index << 24;
		e->ecx |= ECX1_HYPERVISOR | (tsc_deadline ? ECX1_TSC_DEADLINE : 0);
		e->edx = (e->edx & ~EDX1_HTT) | (count > 1 ? EDX1_HTT : 0);
		break;
	case 4:
	case 0x8000001d:
		/* Caches of the first two levels are a core's own; the last one is the socket's. */
		if (e->eax & 0x1f) {
			bool last = (e->eax >> 5 & 7) > 2;

			e->eax = (e->eax & 0x3fff) | (last ? count - 1 : 0) << 14;
			if (e->function == 4)
				e->eax |= ((1U << core_bits(count)) - 1) << 26;
		}
		break;
	case 0xb:
	case 0x1f:
		extended_topology(e, index, count);
		break;
	case 0x80000001:
		e->ecx = (e->ecx & ~ECX81_CMP_LEGACY) | (count > 1 ? ECX81_CMP_LEGACY : 0);
		break;
	case 0x80000008:
		e->ecx = core_bits(count) << 12 | (count - 1);
		break;
	case 0x8000001e:
		e->eax = index;
		e->ebx = index & 0xff;	/* one thread a core */
		e->ecx = 0;		/* one node */
		break;
	}
}

void cpuid_place(struct cpuid *c, unsigned int index, unsigned int count, bool tsc_deadline)
{
	unsigned int i;

	for (i = 0; i < c->head.nent && i < CPUID_MAX_ENTRIES; i++)
		place(&c->entry[i], index, count, tsc_deadline);
}
