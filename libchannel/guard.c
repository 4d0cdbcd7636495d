// SPDX-License-Identifier: Apache-2.0
/*
 * The SIGBUS guard: channel memory may be taken away at any instant, and whoever touches it then
 * must lose the channel, not its life. A thread says which channel it is about to touch; the
 * handler jumps back there if the fault lies in that channel's mappings. Every other SIGBUS is
 * somebody else's and goes to the handler that was installed before, or kills as it would have.
 */
#include <libchannel/channel.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "endpoint.h"

static _Thread_local struct {
	struct channel *volatile channel;
	sigjmp_buf back;
} guarded;

static struct sigaction previous;	/* changes only while somebody opens a channel: lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool inside(const struct endpoint_mapping *m, uintptr_t address)
{
	return m->base && address - (uintptr_t)m->base < m->length;
}

static bool belongs(const struct channel *c, uintptr_t address)
{
	size_t i;

	if (inside(&c->client, address) || inside(&c->server, address) ||
	    inside(&c->private_area, address))
		return true;
	for (i = 0; i < ULTRAVISOR_MAX_BLOCKS; i++) {
		if (inside(&c->memory[i], address))
			return true;
	}
	return false;
}

static void pass_on(int number, siginfo_t *info, void *context)
{
	struct sigaction fatal = { .sa_handler = SIG_DFL };

	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(number, info, context);
		return;
	}
	if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(number);
		return;
	}
	/* A fault happens again on return; a signal that was sent must be sent again. */
	if (info->si_code <= 0 && previous.sa_handler == SIG_IGN)
		return;
	sigaction(SIGBUS, &fatal, NULL);
	if (info->si_code <= 0)
		raise(SIGBUS);
}

static void handle(int number, siginfo_t *info, void *context)
{
	struct channel *c = guarded.channel;

	if (!c || info->si_code <= 0 || !belongs(c, (uintptr_t)info->si_addr)) {
		pass_on(number, info, context);
		return;
	}
	c->lost = true;
	guarded.channel = NULL;
	siglongjmp(guarded.back, 1);
}

/* At each opening: somebody (a test's framework, for one) may have put another handler on top. */
void guard_install(void)
{
	/* SA_NODEFER: the jump leaves the handler without a return that would unblock SIGBUS. */
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sigaction current;

	sigemptyset(&action.sa_mask);
	pthread_mutex_lock(&lock);
	sigaction(SIGBUS, NULL, &current);
	if (!(current.sa_flags & SA_SIGINFO) || current.sa_sigaction != handle) {
		previous = current;
		sigaction(SIGBUS, &action, NULL);
	}
	pthread_mutex_unlock(&lock);
}

sigjmp_buf *channel_guard_enter(struct channel *c)
{
	/*
	 * The jump buffer is filled only when the caller's sigsetjmp runs, after this store; no
	 * access to the channel's memory comes before it.
	 */
	guarded.channel = c;
	atomic_signal_fence(memory_order_seq_cst);
	return &guarded.back;
}

void channel_guard_end(struct channel *c)
{
	(void)c;
	/* Pairs with nothing but this thread's own handler: accesses stay before the end. */
	atomic_signal_fence(memory_order_seq_cst);
	guarded.channel = NULL;
}

bool channel_lost(const struct channel *c)
{
	return c->lost;
}

int channel_copy_in(struct channel *c, void *to, const void *shared, size_t n)
{
	if (channel_guard_begin(c))
		return -ECONNRESET;
	memcpy(to, shared, n);
	channel_guard_end(c);
	return 0;
}

int channel_copy_out(struct channel *c, void *shared, const void *from, size_t n)
{
	if (channel_guard_begin(c))
		return -ECONNRESET;
	memcpy(shared, from, n);
	channel_guard_end(c);
	return 0;
}

/* Acquire: pairs with the release store by which the peer published what the word announces. */
int channel_load_u32(struct channel *c, const _Atomic uint32_t *shared, uint32_t *out)
{
	if (channel_guard_begin(c))
		return -ECONNRESET;
	*out = atomic_load_explicit(shared, memory_order_acquire);
	channel_guard_end(c);
	return 0;
}

int channel_load_u64(struct channel *c, const _Atomic uint64_t *shared, uint64_t *out)
{
	if (channel_guard_begin(c))
		return -ECONNRESET;
	*out = atomic_load_explicit(shared, memory_order_acquire);
	channel_guard_end(c);
	return 0;
}
