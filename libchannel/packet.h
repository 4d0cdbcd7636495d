/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets over a channel: one ring each way, single producer, single consumer.
 *
 * The ring towards the server is in the client's area, the one towards the client in the
 * server's. An area begins with struct ring_control (ring.h), the slots follow. A slot is one cache
 * line and starts with its sequence word, so that a small packet moves one line; a longer packet
 * takes consecutive slots. The consumer's progress is in the consumer's own area: nobody writes
 * where the peer also writes. Both cursors are kept privately; the shared ones are reports.
 *
 * An endpoint may be opened again over the same memory (a restarted daemon): the producer goes on
 * from its own shared report, the consumer from its own; a packet that the old process had not
 * consumed is delivered again. A packet counts as consumed when its receiver calls packet_receive,
 * packet_prepare_wait or packet_close next: a process killed while it works on a packet gets that
 * one again, so a receiver must know by its content what it has done already.
 *
 * System calls, for seccomp lists: packet_open makes membarrier, eventfd2 and the
 * channel's ioctl; an event loop's wait membarrier and read, the waiting calls membarrier,
 * clock_gettime, getcpu, sched_yield, epoll_create1, epoll_ctl and epoll_pwait2; sending and
 * receiving ioctl, and membarrier when the ring is full. membarrier may be refused with an errno
 * (it costs a fence a packet), but not by a signal.
 */
#ifndef LIBCHANNEL_PACKET_H
#define LIBCHANNEL_PACKET_H

#include <libchannel/channel.h>

#define PACKET_MAX	(256u * 1024u)

struct packet_ring;

/*
 * Neither owns nor closes c; a server calls it once it serves. Until packet_close, which comes
 * before channel_close, the areas are this one ring's. -EINVAL: an area holds less than 4 slots, or
 * there is no doorbell; -ECONNRESET: what the areas say cannot be; -EMFILE: 64 rings are open.
 */
int packet_open(struct packet_ring **out, struct channel *c);
void packet_close(struct packet_ring *p);

/*
 * Sends one packet: 0; -EMSGSIZE: larger than the ring ever holds (or PACKET_MAX), checked first;
 * -EAGAIN: no room now, packet_wait_fd becomes readable when there may be; -ECONNRESET.
 * Rings the peer's doorbell 0 only if the peer asked to be woken.
 */
int packet_send(struct packet_ring *p, const void *data, size_t n);

/* Receives one packet into data: its length; -EAGAIN; -EMSGSIZE (not consumed); -ECONNRESET. */
ssize_t packet_receive(struct packet_ring *p, void *data, size_t size);

/*
 * For an event loop: before it sleeps, packet_prepare_wait says that this end wants to be woken,
 * and returns true if there is something to receive already (do not sleep then). The fd is
 * readable after a wake-up; packet_clear_wait drains it.
 */
int packet_wait_fd(const struct packet_ring *p);
bool packet_prepare_wait(struct packet_ring *p);
void packet_clear_wait(struct packet_ring *p);

/*
 * Sends or receives, at most timeout_ms (-1: for ever): as above, but -ETIMEDOUT instead of
 * -EAGAIN. Looks before it sleeps, as long as that pays: for twice the time that waits take on
 * average, 40 to 400 us; if the peer shares the processor, it gets it in between. Whoever uses
 * them leaves the fd to them. A change of status meanwhile is taken note of: read channel_status
 * anew afterwards.
 */
int packet_send_wait(struct packet_ring *p, const void *data, size_t n, int timeout_ms);
ssize_t packet_receive_wait(struct packet_ring *p, void *data, size_t size, int timeout_ms);

/*
 * For an event loop that has just answered: receives, but looks as above before it says -EAGAIN.
 * It never sleeps, and so may be mixed with the loop's calls.
 */
ssize_t packet_receive_soon(struct packet_ring *p, void *data, size_t size);

/* This side's since the channel was made; a killed process may take its last lap's with it. */
struct packet_counters {
	uint64_t packets_sent, bytes_sent;
	uint64_t packets_received, bytes_received;
	uint64_t wakeups;		/* rings of the peer's doorbell */
	uint64_t sleeps;		/* times this side asked to be woken */
	uint64_t stalls;		/* packets that found no room at first */
};

void packet_counters(const struct packet_ring *p, struct packet_counters *out);

#endif
