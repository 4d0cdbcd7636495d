/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line: every value is checked here, so that errors name the option. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ultravisor/io.h>

#include "options.h"

enum {
	NAME = 256,
	UUID,
	PARTITION,
	CHANNEL,
	VCPUS,
	MEMORY,
	KERNEL,
	INITRD,
	CMDLINE,
	DEVICE,
	CONSOLE,
	DEBUG,
};

static const struct option table[] = {
	{ "name", required_argument, NULL, NAME },
	{ "uuid", required_argument, NULL, UUID },
	{ "partition", required_argument, NULL, PARTITION },
	{ "channel", required_argument, NULL, CHANNEL },
	{ "vcpus", required_argument, NULL, VCPUS },
	{ "memory", required_argument, NULL, MEMORY },
	{ "kernel", required_argument, NULL, KERNEL },
	{ "initrd", required_argument, NULL, INITRD },
	{ "cmdline", required_argument, NULL, CMDLINE },
	{ "device", required_argument, NULL, DEVICE },
	{ "console", required_argument, NULL, CONSOLE },
	{ "debug", no_argument, NULL, DEBUG },
	{ 0 }
};

/* A decimal number up to most, ended by end. Returns what follows it, or NULL. */
static const char *number(const char *text, char end, uint64_t most, uint64_t *out)
{
	char *after;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*out = strtoull(text, &after, 10);
	if (errno || *after != end || *out > most)
		return NULL;
	return *after ? after + 1 : after;
}

static int descriptor(const char *text, int *out)
{
	uint64_t n;

	if (!number(text, '\0', 1 << 20, &n) || n <= STDERR_FILENO)
		return -EINVAL;
	*out = n;
	return 0;
}

static int memory(struct options *o, const char *text)
{
	uint64_t fd, gpa, length;

	if (o->memory.count == ULTRAVISOR_MAX_BLOCKS)
		return -EINVAL;
	text = number(text, ':', 1 << 20, &fd);
	text = text ? number(text, ':', UINT64_MAX, &gpa) : NULL;
	text = text ? number(text, '\0', UINT64_MAX, &length) : NULL;
	if (!text || fd <= STDERR_FILENO)
		return -EINVAL;
	o->memory.block[o->memory.count++] = (struct memory_block){
		.fd = fd, .gpa = gpa, .length = length,
	};
	return 0;
}

static int mac(const char *text, uint8_t *out)
{
	char end;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", out, out + 1, out + 2, out + 3,
		      out + 4, out + 5, &end) == 6 ? 0 : -EINVAL;
}

/* block|network:NAME:FD[:MAC] */
static int device(struct options *o, const char *text)
{
	struct options_device *d = &o->device[o->devices];
	const char *name, *fd, *rest;
	uint64_t n;

	if (o->devices == OPTIONS_MAX_DEVICES)
		return -EINVAL;
	if (!strncmp(text, "block:", 6))
		d->type = CHANNEL_BLOCK;
	else if (!strncmp(text, "network:", 8))
		d->type = CHANNEL_NETWORK;
	else
		return -EINVAL;
	name = strchr(text, ':') + 1;
	fd = strchr(name, ':');
	if (!fd || fd == name || fd - name >= (int)sizeof(d->name))
		return -EINVAL;
	memcpy(d->name, name, fd - name);
	rest = number(fd + 1, '\0', 1 << 20, &n);
	if (!rest) {
		rest = number(fd + 1, ':', 1 << 20, &n);
		if (!rest || d->type != CHANNEL_NETWORK || mac(rest, d->mac))
			return -EINVAL;
		d->has_mac = true;
	}
	if (n <= STDERR_FILENO)
		return -EINVAL;
	d->channel = n;
	o->devices++;
	return 0;
}

static int one(struct options *o, int option, const char *value)
{
	uint64_t n;

	switch (option) {
	case NAME:
		o->name = value;
		return strlen(value) < ULTRAVISOR_NAME_LEN ? 0 : -EINVAL;
	case UUID:
		o->uuid = value;
		return 0;
	case CMDLINE:
		o->cmdline = value;
		return 0;
	case DEBUG:
		o->debug = true;
		return 0;
	case VCPUS:
		if (!number(value, '\0', ULTRAVISOR_MAX_CONTEXTS, &n) || !n)
			return -EINVAL;
		o->vcpus = n;
		return 0;
	case MEMORY:
		return memory(o, value);
	case DEVICE:
		return device(o, value);
	case PARTITION:
		return descriptor(value, &o->partition);
	case CHANNEL:
		return descriptor(value, &o->channel);
	case KERNEL:
		return descriptor(value, &o->kernel);
	case INITRD:
		return descriptor(value, &o->initrd);
	case CONSOLE:
		o->to_stdout = !strcmp(value, "stdout");
		if (o->to_stdout)
			return 0;
		return descriptor(value, &o->console);
	default:
		return -EINVAL;
	}
}

int options_parse(struct options *o, int argc, char **argv, char *error, unsigned int size)
{
	int option, at = -1;

	memset(o, 0, sizeof(*o));
	o->partition = o->channel = o->kernel = o->initrd = o->console = -1;
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", table, &at)) != -1) {
		if (option == '?') {
			snprintf(error, size, "%s: no such option, or its value is missing",
				 argv[optind - 1]);
			return -EINVAL;
		}
		if (one(o, option, optarg)) {
			snprintf(error, size, "--%s %s: not a valid value", table[at].name,
				 optarg ? optarg : "");
			return -EINVAL;
		}
	}
	if (optind < argc) {
		snprintf(error, size, "%s: unexpected argument", argv[optind]);
		return -EINVAL;
	}
	if (!o->name || o->partition < 0 || o->kernel < 0 || !o->cmdline || !o->vcpus) {
		snprintf(error, size,
			 "--name, --partition, --vcpus, --memory, --kernel and --cmdline are "
			 "needed");
		return -EINVAL;
	}
	return memory_check(&o->memory, error, size);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int options_adopt(const struct options *o, char *error, unsigned int size)
{
	int fds[8 + ULTRAVISOR_MAX_BLOCKS + OPTIONS_MAX_DEVICES], n = 0, i;
	const int single[] = { o->partition, o->channel, o->kernel, o->initrd, o->console };
	unsigned int next = STDERR_FILENO + 1, j;

	for (j = 0; j < sizeof(single) / sizeof(single[0]); j++)
		if (single[j] >= 0)
			fds[n++] = single[j];
	for (j = 0; j < o->memory.count; j++)
		fds[n++] = o->memory.block[j].fd;
	for (j = 0; j < o->devices; j++)
		fds[n++] = o->device[j].channel;
	qsort(fds, n, sizeof(fds[0]), compare);
	for (i = 0; i < n; i++) {
		if (i && fds[i] == fds[i - 1]) {
			snprintf(error, size, "descriptor %d is given twice", fds[i]);
			return -EINVAL;
		}
		if (fcntl(fds[i], F_SETFD, FD_CLOEXEC) < 0) {
			snprintf(error, size, "descriptor %d is not open", fds[i]);
			return -EBADF;
		}
		if ((unsigned int)fds[i] > next)
			close_range(next, fds[i] - 1, 0);
		next = fds[i] + 1;
	}
	close_range(next, ~0U, 0);
	return 0;
}
