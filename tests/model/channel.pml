/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of a block device's channel: one guest, the module, two I/O partitions and the disk
 * below them. Somebody promotes, revokes and kills the I/O partitions at every instant there is.
 * `make model` lets spin visit every state, and then takes one protection away at a time
 * (-DWITHOUT_…) to see that the model misses it.
 *
 * What it shows:
 *   - no signal is lost: the guest never waits with nobody left to wake it (no end state but the
 *     one in which all of its requests are complete);
 *   - two servers never write at once, and nothing is written after the guest saw it complete;
 *   - each request completes exactly once, and only after it was executed;
 *   - a server whose rights were withdrawn reaches nothing, and no one serves before that is so;
 *   - (-DPORT) all that holds of a guest that kicks by an I/O port, which is bound and taken back
 *     meanwhile; and no ring uses a binding that is freed.
 *
 * Each inline stands for the function that its comment names. A statement is one step; what the
 * code does under the spinlock `bells` is atomic here, what it does under the channel's
 * semaphore is not: the semaphore is modelled.
 */

#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef ACTIONS
#define ACTIONS 2
#endif
#ifdef WITHOUT_GRACE_PERIOD
#define PORT
#endif
#define SERVERS 2
#define NONE 7

/* The module: struct uvr_channel. */
byte lock = NONE;			/* channel->lock: who holds it */
byte serving = NONE;			/* channel->serving */
bool attached[SERVERS], sink[SERVERS], mapped[SERVERS];
bool news[SERVERS];			/* poll() of the endpoint */
bool signalled[SERVERS];		/* the sink's eventfd */
bool work;				/* the source's irq_work is queued */
bool bound, freed;			/* struct uvr_port: in the table; after its grace period */
bool reading;				/* the run loop has found it, under RCU */

/* Guest memory: the rings. */
byte available;				/* available index */
byte used;				/* used index */
byte element[REQUESTS];			/* used ring */
bool quiet;				/* the server wants no kicks */
bool interrupt;				/* pending in the guest */

/* The servers' private area: struct io_inflight_queue. */
mtype = { FREE, SUBMITTED, DONE };
mtype state[REQUESTS] = FREE;
byte position[REQUESTS];
byte recorded;				/* shared->used */

/* The host: backing file and processes. */
byte fence = NONE;			/* owner of the flock */
byte io_of[REQUESTS] = NONE;		/* whose write of this request is queued below */
bool io_over[REQUESTS];			/* its completion waits in the server's ring */
bool executed[REQUESTS], complete[REQUESTS];
bool dying[SERVERS];

/* The control process and the client, as holders of the lock. */
#define ME		(SERVERS + 1)
#define CLIENT		(SERVERS + 2)

inline down(who) { atomic { lock == NONE; lock = who } }

/* serve() in kmod/channel.c, with uvr_doorbell_signal_slot(). Atomic where it is used. */
inline serve(next)
{
	assert(!mapped[0] || next == 0);
	assert(!mapped[1] || next == 1);
	serving = next;
	if
#ifndef WITHOUT_SIGNAL_ON_PROMOTION
	:: next != NONE && sink[next] -> signalled[next] = true
#endif
	:: else
	fi;
	news[0] = true; news[1] = true
}

/* withdraw() in kmod/channel.c: rights first, then uvr_area_unmap(). */
inline withdraw(me)
{
	atomic {
		attached[me] = false;
		sink[me] = false;
		if
		:: serving == me -> serving = NONE
		:: else
		fi }
#ifndef WITHOUT_UNMAP
	mapped[me] = false
#endif
}

/* uvr_channel_detach() in kmod/channel.c, with elect() and succeed(). Gives the lock back. */
inline detach(me)
{
	if
	:: atomic { !attached[me] -> lock = NONE }
	:: attached[me] && serving != me ->
		withdraw(me);
		atomic { news[me] = true; lock = NONE }
	:: attached[me] && serving == me ->
		withdraw(me);
		atomic {
			if
			:: attached[1 - me] -> serve(1 - me)
			:: else -> serve(NONE)
			fi;
			lock = NONE }
	fi
}

/* uvr_attach() in kmod/endpoint.c, uvr_channel_attach() in kmod/channel.c */
inline attach(me)
{
	atomic {
		lock == NONE;
		attached[me] = true; news[me] = true;
		if
		:: serving == NONE -> serve(me)
		:: else
		fi }
}

/* bind_sink(), set_sink() in kmod/doorbell.c */
inline bind(me)
{
	atomic {
		lock == NONE;
		if
		:: attached[me] ->
			sink[me] = true;
			if
#ifndef WITHOUT_FRESH_SIGNAL
			:: serving == me -> signalled[me] = true
#endif
			:: else
			fi
		:: else
		fi }
}

/*
 * An access to guest memory or to the private area: one instruction, which finds the page
 * mapped or faults; area_fault(), check_touch() in kmod/area.c. Without the rights it is
 * SIGBUS, which libchannel's guard turns into the loss of the channel.
 */
#ifndef WITHOUT_LOCK_IN_FAULT
#define fault(me)							\
	atomic { lock == NONE && attached[me] && serving == me -> mapped[me] = true }
#else
#define fault(me)							\
	attached[me] && serving == me -> mapped[me] = true
#endif

/* A macro: spin's inlines take no statements. */
#define access(me, what)						\
	do								\
	:: atomic { mapped[me] -> what; break }				\
	:: !mapped[me] ->						\
		if							\
		:: fault(me)						\
		:: lock == NONE && !(attached[me] && serving == me) -> goto lost \
		fi							\
	od

/* uvr_doorbell_ring() in kmod/doorbell.c by a server: one that serves reaches the client. */
inline raise(me)
{
	atomic {
		if
		:: attached[me] && serving == me -> interrupt = true
		:: else
		fi
	}
}

/* uvr_doorbell_ring_server() in kmod/doorbell.c. Atomic where it is used. */
inline ring_server()
{
	if
	:: serving != NONE && sink[serving] -> signalled[serving] = true
	:: else
	fi
}

/* source_wake(), then source_ring() in kmod/doorbell.c, as an irq_work */
active proctype source()
{
end:	do
	:: atomic { work -> work = false; ring_server() }
	od
}

#ifdef PORT
/* uvr_port_ring() in kmod/port.c; what finds no binding comes back to the monitor, which rings. */
inline kick()
{
	if
	:: atomic { bound -> reading = true };
		atomic { assert(!freed); ring_server(); reading = false }
	:: atomic { !bound -> work = true }
	fi
}

/* uvr_port_bind(), then uvr_port_unbind() in kmod/port.c; or neither, or only the first. */
active proctype client()
{
	if
	:: skip
	:: down(CLIENT);
		atomic { bound = true; lock = NONE };
		if
		:: skip
		:: down(CLIENT);
			bound = false;
#ifndef WITHOUT_GRACE_PERIOD
			!reading;
#endif
			atomic { freed = true; lock = NONE }
		fi
	fi
}
#else
#define kick()	work = true
#endif

/* The guest's driver: makes requests available, kicks if it is asked to, waits for interrupts. */
active proctype guest()
{
	byte seen, head;

	do
	:: available < REQUESTS ->
		available++;
		/* A full barrier; it pairs with the server's, between its quiet and second look. */
		if
		:: !quiet -> kick()
		:: quiet
		fi
	:: available == REQUESTS -> break
	od;
	do
	:: seen < REQUESTS ->
		atomic { interrupt -> interrupt = false }
		atomic {
			do
			:: seen < used ->
				head = element[seen];
				assert(head < REQUESTS && executed[head] && !complete[head]);
				complete[head] = true;
				seen++
			:: else -> head = 0; break
			od }
	:: seen == REQUESTS -> break
	od
}

inline execute(request)
{
	atomic {
		io_of[request] != NONE && !io_over[request] ->
		assert(fence == io_of[request] && !complete[request]);
		executed[request] = true;
		io_over[request] = true }
}

/* The host's block layer: executes what is queued in any order and at any time. */
active proctype disk()
{
end:	do
	:: execute(0)
#if REQUESTS > 1
	:: execute(1)
#endif
	od
}

#if REQUESTS > 1
#define BUSY(slot)	(io_of[0] == slot || io_of[1] == slot)
#define OVER(slot)	((io_of[0] == slot && io_over[0]) || (io_of[1] == slot && io_over[1]))
#define RUNNING(slot)	((io_of[0] == slot && !io_over[0]) || (io_of[1] == slot && !io_over[1]))
#else
#define BUSY(slot)	(io_of[0] == slot)
#define OVER(slot)	(io_of[0] == slot && io_over[0])
#define RUNNING(slot)	(io_of[0] == slot && !io_over[0])
#endif

/* inflight_publish() in iopartd/inflight.c, block_completed() in iopartd/block.c */
inline publish(me)
{
	access(me, used = done);
	access(me, recorded = done);
	access(me,
		i = 0;
		do
		:: i < REQUESTS ->
			if
			:: state[i] == DONE && position[i] < done -> state[i] = FREE
			:: else
			fi;
			i++
		:: else -> i = 0; break
		od);
	raise(me)
}

/* piece_over() in iopartd/request.c, inflight_done() in iopartd/inflight.c */
inline reap(me)
{
	atomic {
		if
		:: io_of[0] == me && io_over[0] -> r = 0
#if REQUESTS > 1
		:: io_of[1] == me && io_over[1] -> r = 1
#endif
		fi;
		io_of[r] = NONE; io_over[r] = false }
	access(me, position[r] = done; state[r] = DONE);
	access(me, element[done] = r; done++; r = 0);
	publish(me)
}

/*
 * start_request() in iopartd/request.c. The request reaches the kernel with the fence held, or
 * not at all.
 */
inline submit(me, request)
{
	atomic { io_of[request] = me; io_over[request] = false }
}

/* inflight_recover() in iopartd/inflight.c: what is DONE is published, what is SUBMITTED is done again. */
inline recover(me)
{
	/* Nobody but the server reads or writes this, and doing it again changes nothing. */
	access(me,
		done = recorded;
		taken = recorded;
		i = 0;
		do
		:: i < REQUESTS ->
			if
			:: state[i] == DONE && position[i] < recorded -> state[i] = FREE
			:: state[i] == DONE && position[i] >= recorded ->
				element[position[i]] = i; done++; taken++
			:: state[i] == SUBMITTED -> taken++
			:: else
			fi;
			i++
		:: else -> i = 0; break
		od);
	publish(me);
	r = 0;
	do
	:: r < REQUESTS -> atomic {
		if
		:: state[r] == SUBMITTED -> submit(me, r)
		:: else
		fi;
		r++ }
	:: else -> r = 0; break
	od
}

/* An I/O partition: the states of iopartd/device.h. It is started again after each death. */
proctype server(byte slot)
{
	byte done, taken, i, r;

	do
	:: { skip;
standby:
	attach(slot);
	bind(slot);
end:	do
	/* look_at_status() in iopartd/device.c */
	:: serving == slot && attached[slot] -> break
	:: news[slot] -> atomic {
		news[slot] = false;
		if
		:: !attached[slot] -> goto lost
		:: else
		fi }
	od;

	/* DEVICE_FENCING: fence_take() in iopartd/fence.c tries again until it is demoted. */
#ifndef WITHOUT_FENCE
	if
	:: atomic { fence == NONE -> fence = slot }
	:: fence == slot
	:: serving != slot || !attached[slot] -> goto lost
	fi;
#else
	fence = slot;
#endif
	recover(slot);

	/* DEVICE_SERVING: block_turn(); the sink is looked at edge-triggered. */
#ifdef WITHOUT_OWN_LOOK
	access(slot, quiet = false);
	goto sleep;
#endif
turn:	access(slot, quiet = true);
	do
	:: taken < available ->
		access(slot, state[taken] = SUBMITTED);
		atomic { submit(slot, taken); taken++ }
	:: else -> break
	od;
	access(slot, quiet = false);
#ifndef WITHOUT_SECOND_LOOK
	if
	:: taken < available -> goto turn
	:: else
	fi;
#endif
sleep:
end_sleep:
	do
	:: atomic { signalled[slot] -> signalled[slot] = false } goto turn
	:: OVER(slot) -> reap(slot)
	:: !attached[slot] || serving != slot -> break
	od;

	/* DEVICE_LOST: its own requests hold the fence; end() in iopartd/device.c gives it back. */
lost:	do
	:: OVER(slot) -> atomic {
		if
		:: io_of[0] == slot && io_over[0] -> io_of[0] = NONE; io_over[0] = false
#if REQUESTS > 1
		:: io_of[1] == slot && io_over[1] -> io_of[1] = NONE; io_over[1] = false
#endif
		fi }
	:: !BUSY(slot) -> break
	od;
	atomic {
		if
		:: fence == slot -> fence = NONE
		:: else
		fi };
	/* uvd gives a new descriptor after a revocation; a demoted one attaches again. */
	if
	:: !attached[slot]
	:: attached[slot] -> down(slot); detach(slot)
	fi;
	goto standby
	} unless { dying[slot] && lock != slot };

	/* SIGKILL: mm_release() in kmod/endpoint.c, before the mappings and descriptors go. */
	down(slot);
	detach(slot);
	mapped[slot] = false;
	/* The open file description lasts as long as a request that was given to it. */
#ifndef WITHOUT_TRACKED_REQUESTS
	!RUNNING(slot);
#endif
	atomic {
		if
		:: io_of[0] == slot && io_over[0] -> io_of[0] = NONE; io_over[0] = false
		:: else
		fi;
#if REQUESTS > 1
		if
		:: io_of[1] == slot && io_over[1] -> io_of[1] = NONE; io_over[1] = false
		:: else
		fi;
#endif
		if
		:: fence == slot -> fence = NONE
		:: else
		fi;
		dying[slot] = false; signalled[slot] = false; news[slot] = false;
		done = 0; taken = 0; i = 0; r = 0 }
	od
}

/* uvr_channel_promote(), uvr_channel_revoke() of a slot in kmod/channel.c, and SIGKILL. */
active proctype control()
{
	byte n, slot;

	do
	:: n < ACTIONS ->
		atomic {
			n++;
			if
			:: slot = 0
			:: slot = 1
			fi }
		if
		:: down(ME);
			if
			:: attached[slot] && serving == 1 - slot ->
				withdraw(1 - slot);
				atomic { serve(slot); lock = NONE }
			:: atomic { !(attached[slot] && serving == 1 - slot) -> lock = NONE }
			fi
		:: down(ME);
			detach(slot);
			news[slot] = true
		:: dying[slot] = true
		fi
	:: break
	od
}

init {
	atomic { run server(0); run server(1) }
}
