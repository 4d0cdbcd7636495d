/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a device's channel; see device.h for its states.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include <common/log.h>

#include "device.h"
#include "handover.h"
#include "statistics.h"

const struct device_type *device_type(uint32_t channel_type)
{
	switch (channel_type) {
	case CHANNEL_BLOCK:
		return &block_device;
	case CHANNEL_NETWORK:
		return &network_device;
	case CHANNEL_CONSOLE:
		return &console_device;
	default:
		return NULL;
	}
}

void device_log(const struct device *d, int level, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_partition(d->id.partition);
	log_line(level, "%s: %s", d->label, text);
	log_partition(NULL);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void set_taps(int *to, const int *taps)
{
	unsigned int i;

	for (i = 0; i < IO_MAX_PAIRS - 1; i++)
		to[i] = taps ? taps[i] : -1;
}

static void close_taps(int *taps)
{
	unsigned int i;

	for (i = 0; i < IO_MAX_PAIRS - 1; i++)
		close_fd(&taps[i]);
}

/* What was handed over and is of no use. */
static void close_all(int *endpoint, int *backing, const int *taps)
{
	int copy[IO_MAX_PAIRS - 1];

	set_taps(copy, taps);
	close_fd(endpoint);
	close_fd(backing);
	close_taps(copy);
}

static void drop_sources(struct device *d)
{
	size_t i;

	d->status = sd_event_source_disable_unref(d->status);
	for (i = 0; i < IO_DOORBELLS; i++)
		d->bell[i] = sd_event_source_disable_unref(d->bell[i]);
	d->kicked = 0;
}

void device_free(struct device *d)
{
	struct device **p;

	for (p = &d->iopart->devices; *p; p = &(*p)->next) {
		if (*p == d) {
			*p = d->next;
			break;
		}
	}
	for (p = &d->iopart->touched; *p; p = &(*p)->next_touched) {
		if (*p == d) {
			*p = d->next_touched;
			break;
		}
	}
	fence_stop(&d->fence);
	if (d->data) {
		if (d->state != DEVICE_LOST)
			d->type->lost(d);
		d->type->close(d);
	}
	drop_sources(d);
	d->turn = sd_event_source_disable_unref(d->turn);
	channel_close(d->channel);
	close_fd(&d->endpoint);
	close_fd(&d->backing);
	close_fd(&d->next_endpoint);
	close_fd(&d->next_backing);
	close_taps(d->taps);
	close_taps(d->next_taps);
	free(d);
}

static void promote(void *argument)
{
	struct device *d = argument;
	int rc;

	d->state = DEVICE_SERVING;
	rc = d->type->promote(d);
	if (rc) {
		device_log(d, LOG_ERR, "cannot be served here: %s", strerror(-rc));
		device_lost(d, rc);
		return;
	}
	rc = statistics_promoted(d);
	if (rc) {
		device_lost(d, rc);
		return;
	}
	device_log(d, LOG_INFO, "served here; waited %llu ms for its fence",
		   (unsigned long long)fence_waited(&d->fence) / 1000);
	device_schedule(d);
	iopart_flush(d->iopart);
}

void device_fenced(struct device *d)
{
	if (d->state == DEVICE_FENCING)
		promote(d);
}

void device_connect(struct device *d, int fd)
{
	if (d->id.nbd && d->data && (d->state == DEVICE_FENCING || d->state == DEVICE_SERVING))
		d->type->connect(d, fd);
	else
		close_fd(&fd);
}

static int look_at_status(struct device *d)
{
	struct channel_status status;
	int rc = channel_status(d->channel, &status);

	if (rc)
		return rc;
	if (d->state == DEVICE_STANDBY && status.serving) {
		d->state = DEVICE_FENCING;
		if (d->id.nbd) {
			d->type->connect(d, -1);
			return 0;
		}
		if (!d->type->fenced || d->id.readonly) {
			/* Without writes there is nothing that could come late. */
			promote(d);
			return 0;
		}
		return fence_take(&d->fence, d->iopart->event, d->backing, d->label, promote, d);
	}
	if ((d->state == DEVICE_FENCING || d->state == DEVICE_SERVING) && !status.serving)
		return -ECONNRESET;
	return 0;
}

static int on_status(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct device *d = userdata;
	int rc;

	(void)s;
	(void)fd;
	(void)revents;
	rc = look_at_status(d);
	if (rc)
		device_lost(d, rc);
	return 0;
}

static bool has_work(const struct device *d)
{
	int scheduled = SD_EVENT_OFF;

	sd_event_source_get_enabled(d->turn, &scheduled);
	return d->state == DEVICE_SERVING && (d->busy || d->starved || d->held ||
					      d->lingering.on || scheduled != SD_EVENT_OFF);
}

static void read_kick(struct device *d, unsigned int i)
{
	eventfd_t count;

	eventfd_read(channel_doorbell_fd(d->channel, i), &count);
	d->kicked &= ~(1u << i);
}

/* What came since a bell was heard is read with it, and its event is gone then. */
static void read_kicks(struct device *d)
{
	unsigned int i;

	for (i = 0; d->kicked >> i; i++) {
		if (!(d->kicked & 1u << i))
			continue;
		read_kick(d, i);
		if (d->state == DEVICE_SERVING)
			d->type->doorbell(d, i);
	}
}

static void kick_myself(struct device *d)
{
	unsigned int i = d->bells - 1;

	if (eventfd_write(channel_doorbell_fd(d->channel, i), 1) == 0)
		d->kicked |= 1u << i;
}

void device_stay_kicked(struct device *d)
{
	if (!d->kicked)
		kick_myself(d);
}

static void take_turn(struct device *d)
{
	if (d->state == DEVICE_SERVING && d->type->turn(d))
		device_schedule(d);
}

void device_answer(struct device *d)
{
	if (has_work(d)) {
		iopart_watch(d->iopart);
	} else if (d->kicked) {
		/* A kick since the last turn is read, too, and its event goes with it. */
		read_kicks(d);
		take_turn(d);
		uring_submit(&d->iopart->uring);
	}
}

bool device_live(struct device *d)
{
	if (!has_work(d))
		return false;
	read_kicks(d);
	kick_myself(d);
	return true;
}

/* Edge-triggered: each ring is an event of its own, whatever the counter held before. */
static int on_bell(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
	struct device *d = userdata;
	unsigned int i;

	(void)fd;
	(void)revents;
	for (i = 0; i < d->bells && d->bell[i] != s; i++)
		;
	if (i == IO_DOORBELL_STATE)
		read_kick(d, i);
	else
		d->kicked |= 1u << i;
	if (d->state == DEVICE_SERVING)
		d->type->doorbell(d, i);
	take_turn(d);
	iopart_flush(d->iopart);
	device_answer(d);
	return 0;
}

static int add_sources(struct device *d)
{
	sd_event *event = d->iopart->event;
	unsigned int i;
	int fd, rc;

	for (i = 0; i < d->bells; i++) {
		fd = channel_doorbell_fd(d->channel, i);
		if (fd < 0)
			return fd;
		rc = sd_event_add_io(event, &d->bell[i], fd, EPOLLIN | EPOLLET, on_bell, d);
		if (rc < 0)
			return rc;
	}
	rc = sd_event_add_io(event, &d->status, channel_status_fd(d->channel), EPOLLIN, on_status,
			     d);
	return rc < 0 ? rc : 0;
}

static int attach(struct device *d)
{
	int fd = fcntl(d->endpoint, F_DUPFD_CLOEXEC, 3), rc;

	if (fd < 0)
		return -errno;
	rc = channel_open(&d->channel, fd, &d->type->geometry);
	if (rc)
		close(fd);
	return rc;
}

/* In d's place, from the descriptors that were handed over for it. */
static struct device *begin_again(struct device *d)
{
	struct device_identity id = d->id;
	struct iopart *io = d->iopart;
	int endpoint = d->next_endpoint, backing = d->next_backing;
	uint32_t round = d->round;
	int taps[IO_MAX_PAIRS - 1];

	set_taps(taps, d->next_taps);
	d->next_endpoint = d->next_backing = -1;
	set_taps(d->next_taps, NULL);
	device_free(d);
	if (device_open(&d, io, &id, endpoint, backing, taps))
		return NULL;
	d->round = round;
	return d;
}

static int stand_by_again(struct device *d)
{
	int rc;

	d->again = false;
	rc = attach(d);
	if (rc)
		return rc;
	rc = add_sources(d);
	if (rc)
		return rc;
	d->state = DEVICE_STANDBY;
	device_log(d, LOG_INFO, "stands by");
	rc = look_at_status(d);
	if (rc)
		device_lost(d, rc);
	return 0;
}

/* Nothing of a LOST device is under way any more. */
static void end(struct device *d)
{
	channel_close(d->channel);
	d->channel = NULL;
	d->mapped = false;
	if (d->data && d->type->release)
		d->type->release(d);
	if (d->withdrawn) {
		device_free(d);
		return;
	}
	if (d->next_endpoint >= 0) {
		begin_again(d);
		return;
	}
	/* The new server waits for this. */
	if (d->backing >= 0)
		flock(d->backing, LOCK_UN);
	if (d->again && d->endpoint >= 0 && stand_by_again(d) == 0)
		return;
	d->type->close(d);
	drop_sources(d);
	channel_close(d->channel);
	d->channel = NULL;
	close_fd(&d->endpoint);
	close_fd(&d->backing);
	close_taps(d->taps);
	d->state = DEVICE_CLOSED;
	handover_ask_again(d->iopart->handover);
}

void device_turn(struct device *d)
{
	struct iopart *io = d->iopart;

	if (d->state == DEVICE_LOST) {
		if (!d->busy)
			end(d);
		return;
	}
	take_turn(d);
	iopart_flush(io);
	device_answer(d);
}

static int on_turn(sd_event_source *s, void *userdata)
{
	(void)s;
	device_turn(userdata);
	return 0;
}

static struct device *new_device(struct iopart *io, const struct device_identity *id, int backing,
				 const int *taps)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->iopart = io;
	d->id = *id;
	d->type = device_type(id->channel_type);
	d->bells = d->type->bells;
	d->endpoint = d->next_endpoint = d->next_backing = -1;
	d->backing = backing;
	set_taps(d->taps, taps);
	set_taps(d->next_taps, NULL);
	snprintf(d->label, sizeof(d->label), "%s/%s", id->partition, id->name);
	d->next = io->devices;
	io->devices = d;
	return d;
}

static int begin(struct device *d)
{
	int rc;

	rc = sd_event_add_defer(d->iopart->event, &d->turn, on_turn, d);
	if (rc < 0)
		return rc;
	sd_event_source_set_enabled(d->turn, SD_EVENT_OFF);
	rc = d->type->open(d);
	if (rc)
		return rc;
	if (!d->channel) {
		rc = attach(d);
		if (rc)
			return rc;
	}
	rc = add_sources(d);
	return rc ? rc : look_at_status(d);
}

int device_open(struct device **out, struct iopart *io, const struct device_identity *id,
		int endpoint, int backing, const int *taps)
{
	struct device *d = new_device(io, id, backing, taps);
	int rc;

	if (!d) {
		close_all(&endpoint, &backing, taps);
		return -ENOMEM;
	}
	d->endpoint = endpoint;
	rc = begin(d);
	if (rc) {
		device_log(d, LOG_ERR, "cannot be taken into service: %s", strerror(-rc));
		device_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

int device_open_channel(struct device **out, struct iopart *io, const struct device_identity *id,
			struct channel *channel, int backing, const int *taps)
{
	struct device *d = new_device(io, id, backing, taps);
	int rc;

	if (!d)
		return -ENOMEM;
	d->channel = channel;
	rc = begin(d);
	if (rc) {
		device_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

struct device *device_replace(struct device *d, int endpoint, int backing, const int *taps)
{
	if (d->state != DEVICE_LOST && d->state != DEVICE_CLOSED) {
		close_all(&endpoint, &backing, taps);
		return d;
	}
	close_all(&d->next_endpoint, &d->next_backing, d->next_taps);
	d->next_endpoint = endpoint;
	d->next_backing = backing;
	set_taps(d->next_taps, taps);
	if (d->state == DEVICE_CLOSED)
		return begin_again(d);
	device_schedule(d);
	return d;
}

void device_set(struct device *d, const struct command_settings *settings, uint64_t size)
{
	if (d->id.size == size && !memcmp(&d->id.settings, settings, sizeof(*settings)))
		return;
	d->id.settings = *settings;
	d->id.size = size;
	if (d->data && d->type->settings)
		d->type->settings(d);
}

void device_withdraw(struct device *d)
{
	d->withdrawn = true;
	if (d->state == DEVICE_CLOSED) {
		device_free(d);
		return;
	}
	device_lost(d, 0);
	if (!d->busy)
		end(d);
}

void device_lost(struct device *d, int rc)
{
	struct channel_status status;

	if (d->state == DEVICE_LOST || d->state == DEVICE_CLOSED)
		return;
	if (rc == -ECONNRESET) {
		/*
		 * After a demotion we may be a standby again. If the module still calls us the
		 * server, memory was missing under a touch, and would be at the next attempt too.
		 */
		d->again = channel_status(d->channel, &status) || !status.serving;
		device_log(d, d->again ? LOG_INFO : LOG_ERR, "served here no longer: %s", d->again ?
			   "revoked, or another server has it" : "memory is missing that it needs");
	} else {
		device_log(d, LOG_INFO, "served here no longer");
	}
	d->state = DEVICE_LOST;
	linger_stop(d);
	fence_stop(&d->fence);
	d->type->lost(d);
	drop_sources(d);
	device_schedule(d);
}

void device_schedule(struct device *d)
{
	sd_event_source_set_enabled(d->turn, SD_EVENT_ONESHOT);
}

void device_touched(struct device *d)
{
	if (d->touched)
		return;
	d->touched = true;
	d->next_touched = d->iopart->touched;
	d->iopart->touched = d;
}

void device_operation_begun(struct device *d)
{
	/* A replay, or a request that was found without a kick. */
	device_stay_kicked(d);
	d->busy++;
}

void device_operation_over(struct device *d)
{
	if (!--d->busy && d->state == DEVICE_LOST)
		device_schedule(d);
}

int device_map_memory(struct device *d)
{
	const struct channel_region *region;
	size_t regions;
	int rc;

	if (d->mapped)
		return 0;
	rc = channel_memory(d->channel, &region, &regions);
	if (rc)
		return rc;
	d->memory = (struct guest_memory){ region, regions };
	d->mapped = regions > 0;
	return 0;
}
