// SPDX-License-Identifier: Apache-2.0
/*
 * The SIGBUS guard: channel memory may be taken away at any instant, and whoever touches it then
 * must lose the channel, not its life. A thread says which channel it is about to touch; if the
 * fault lies in that channel's mappings, the handler jumps back there, or (packet.c) puts zeros in
 * the memory's place. Every other SIGBUS is somebody else's and goes to the handler that was
 * installed before, or kills as it would have.
 */
#include <libchannel/channel.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "endpoint.h"

static _Thread_local struct {
	struct channel *volatile channel;	/* that this thread is touching; or NULL */
	sigjmp_buf back;
} guard;

/*
 * Watched areas, for handlers in any thread: whoever faults in one keeps its channel alive, so that
 * an entry that matches is a true one. Entries are changed under lock, base last; a handler that
 * finds the same base before and after has read the rest of one entry.
 */
#define WATCHED	128

static struct {
	_Atomic uintptr_t base;		/* 0: free */
	_Atomic size_t length;
	_Atomic(struct channel *) channel;
} watched[WATCHED];

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

static struct channel *find_watched(uintptr_t address, void **area, size_t *length)
{
	struct channel *c;
	uintptr_t base;
	size_t i, n;

	for (i = 0; i < WATCHED; i++) {
		base = watched[i].base;
		n = watched[i].length;
		c = watched[i].channel;
		if (base && address - base < n && watched[i].base == base) {
			*area = (void *)base;
			*length = n;
			return c;
		}
	}
	return NULL;
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

/* mmap is on no list of what a signal handler may call, but here it is the bare system call. */
static bool replace(void *area, size_t length)
{
	const int error = errno;
	const bool done = mmap(area, length, PROT_READ | PROT_WRITE,
			       MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			       -1, 0) != MAP_FAILED;

	errno = error;
	return done;
}

static void handle(int number, siginfo_t *info, void *context)
{
	const uintptr_t address = (uintptr_t)info->si_addr;
	struct channel *c = guard.channel;
	size_t length;
	void *area;

	if (info->si_code <= 0) {	/* sent, not a fault */
		pass_on(number, info, context);
		return;
	}
	if (c && belongs(c, address)) {
		c->lost = true;
		guard.channel = NULL;
		siglongjmp(guard.back, 1);
	}
	c = find_watched(address, &area, &length);
	if (c)
		c->lost = true;
	if (!c || !replace(area, length))
		pass_on(number, info, context);
}

static int watch(const struct endpoint_mapping *m, struct channel *c)
{
	size_t i;

	for (i = 0; i < WATCHED; i++) {
		if (!watched[i].base) {
			watched[i].length = m->length;
			watched[i].channel = c;
			watched[i].base = (uintptr_t)m->base;
			return 0;
		}
	}
	return -EMFILE;
}

void guard_unwatch(struct channel *c)
{
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < WATCHED; i++) {
		if (watched[i].channel == c) {
			watched[i].base = 0;
			watched[i].channel = NULL;
		}
	}
	pthread_mutex_unlock(&lock);
}

int guard_watch(struct channel *c)
{
	int rc;

	guard_unwatch(c);
	pthread_mutex_lock(&lock);
	rc = watch(&c->client, c);
	if (!rc)
		rc = watch(&c->server, c);
	pthread_mutex_unlock(&lock);
	if (rc)
		guard_unwatch(c);
	return rc;
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
	guard.channel = c;
	atomic_signal_fence(memory_order_seq_cst);
	return &guard.back;
}

void channel_guard_end(struct channel *c)
{
	(void)c;
	/* Pairs with nothing but this thread's own handler: accesses stay before the end. */
	atomic_signal_fence(memory_order_seq_cst);
	guard.channel = NULL;
}

bool channel_lost(const struct channel *c)
{
	return c->lost;
}

/* No fault does not mean no loss: what was lost before may have been replaced by zeros. */
static int outcome(const struct channel *c)
{
	return c->lost ? -ECONNRESET : 0;
}

int channel_copy_in(struct channel *c, void *to, const void *shared, size_t n)
{
	if (channel_guard_begin(c))
		return -ECONNRESET;
	memcpy(to, shared, n);
	channel_guard_end(c);
	return outcome(c);
}

int channel_copy_out(struct channel *c, void *shared, const void *from, size_t n)
{
	if (channel_guard_begin(c))
		return -ECONNRESET;
	memcpy(shared, from, n);
	channel_guard_end(c);
	return outcome(c);
}

/* Acquire: pairs with the release store by which the peer published what the word announces. */
int channel_load_u32(struct channel *c, const _Atomic uint32_t *shared, uint32_t *out)
{
	if (channel_guard_begin(c))
		return -ECONNRESET;
	*out = atomic_load_explicit(shared, memory_order_acquire);
	channel_guard_end(c);
	return outcome(c);
}

int channel_load_u64(struct channel *c, const _Atomic uint64_t *shared, uint64_t *out)
{
	if (channel_guard_begin(c))
		return -ECONNRESET;
	*out = atomic_load_explicit(shared, memory_order_acquire);
	channel_guard_end(c);
	return outcome(c);
}
