/* SPDX-License-Identifier: Apache-2.0 */
/* The KVM that says yes. */
#include <errno.h>
#include <stdarg.h>

#include <linux/ultravisor.h>

#include "machine.h"

struct machine machine;

int machine_reset(void **state)
{
	unsigned int i;

	(void)state;
	memset(&machine, 0, sizeof(machine));
	for (i = 0; i < MACHINE_MAX; i++)
		machine.tied[i] = -1;
	return 0;
}

const struct kvm_irq_routing_entry *machine_route(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < machine.routes; i++)
		if (machine.route[i].gsi == number && machine.route[i].type == KVM_IRQ_ROUTING_MSI)
			return &machine.route[i];
	return NULL;
}

static void routing(const struct kvm_irq_routing *r)
{
	assert_true(r->nr <= MACHINE_MAX);
	machine.routings++;
	machine.routes = r->nr;
	memcpy(machine.route, r->entries, r->nr * sizeof(r->entries[0]));
}

static int tie(const struct kvm_irqfd *i)
{
	assert_true(i->gsi < MACHINE_MAX);
	if (i->flags & KVM_IRQFD_FLAG_DEASSIGN) {
		assert_int_equal(machine.tied[i->gsi], i->fd);
		machine.tied[i->gsi] = -1;
		return 0;
	}
	assert_int_equal(machine.tied[i->gsi], -1);
	assert_non_null(machine_route(i->gsi));
	machine.tied[i->gsi] = i->fd;
	machine.ties++;
	return 0;
}

static int listen_at(const struct kvm_ioeventfd *e)
{
	unsigned int i;

	for (i = 0; i < machine.listeners; i++)
		if (machine.listener[i].addr == e->addr)
			break;
	if (e->flags & KVM_IOEVENTFD_FLAG_DEASSIGN) {
		assert_true(i < machine.listeners);
		machine.listener[i] = machine.listener[--machine.listeners];
		return 0;
	}
	if (i < machine.listeners)
		return -EEXIST;
	machine.listener[machine.listeners++] = *e;
	return 0;
}

static int vm(const struct ultravisor_kvm *k)
{
	void *arg = (void *)(uintptr_t)k->arg;

	switch (k->cmd) {
	case KVM_IRQ_LINE:
		machine.line[((struct kvm_irq_level *)arg)->irq] =
			((struct kvm_irq_level *)arg)->level;
		return 0;
	case KVM_SIGNAL_MSI:
		machine.messages++;
		machine.message = *(struct kvm_msi *)arg;
		return 1;
	case KVM_SET_GSI_ROUTING:
		routing(arg);
		return 0;
	case KVM_IRQFD:
		return tie(arg);
	case KVM_IOEVENTFD:
		return listen_at(arg);
	default:
		return -ENOTTY;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int rc = -ENOTTY;

	(void)fd;
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == ULTRAVISOR_VM_KVM)
		rc = vm(arg);
	if (rc >= 0)
		return rc;
	errno = -rc;
	return -1;
}
