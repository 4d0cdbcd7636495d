/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk's work whose every sector says which write it is of, and what is checked of it. Usage:
 *
 *   verify run DEVICE SEED
 *     In a guest, until there is something to read from stdin: 1 to 64 threads (as many as the disk
 *     has requests under way) write, read and flush past the page cache, 512 B to 1 MiB at a time,
 *     each in a region of its own. What is read must be what was completed last; at the end all of
 *     the disk is read.
 *   verify log LOG MIB [IMAGE...]
 *     Of the log of what was done to the disk (powerdisk.c): no sector was ever written by an older
 *     write than before, which would be one that ran after its completion was visible. And of the
 *     disk as losses of power left it: no sector is older than a flush that was complete.
 *
 * A region's writes are numbered. A thread has one request at a time, so a sector's next write is
 * made only when the one before was complete, and may run any number of times until then.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECTOR	512u
#define REGIONS	64u
#define LONGEST	(1u << 20)
#define MAGIC	0x796669726576ull

struct sector {
	uint64_t magic, number;		/* its own number on the disk */
	uint64_t write;			/* of its region: 1 is the first */
	uint64_t flushed;		/* by then: the last write that a completed flush covers */
	uint64_t sum;
	uint64_t data[59];
};

_Static_assert(sizeof(struct sector) == SECTOR, "a sector");

static _Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("verify: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void *room(size_t n)
{
	void *p = NULL;

	if (posix_memalign(&p, 4096, n))
		die("out of memory");
	memset(p, 0, n);
	return p;
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % below;
}

static uint64_t sum_of(const struct sector *s)
{
	uint64_t sum = s->number * 31 + s->write * 131 + s->flushed * 1031;

	for (unsigned int i = 0; i < sizeof(s->data) / sizeof(*s->data); i++)
		sum = (sum ^ s->data[i]) * 0x100000001b3ull;
	return sum;
}

static bool whole(const struct sector *s, uint64_t number)
{
	return s->magic == MAGIC && s->number == number && s->sum == sum_of(s);
}

/* ---- in the guest */

struct worker {
	pthread_t thread;
	uint64_t random, first;		/* sector of its region */
	uint64_t write, flushed;
	uint32_t *last;			/* of each sector: the write that is in it; 0: none */
	struct sector *buffer;
	unsigned int writes, reads, flushes;
};

static int disk;
static uint64_t sectors;		/* of a region */
static unsigned int active;		/* threads that are to work now */
static bool ends;

static void check(const struct worker *w, const struct sector *s, uint64_t at)
{
	const uint32_t want = w->last[at];

	if (!want && !s->magic)
		return;
	if (!whole(s, w->first + at))
		die("DAMAGED: sector %llu is no sector of ours",
		    (unsigned long long)(w->first + at));
	if (s->write != want)
		die("DAMAGED: sector %llu is of write %llu, not %u",
		    (unsigned long long)(w->first + at), (unsigned long long)s->write, want);
}

static void move(struct worker *w, bool out, uint64_t at, size_t n)
{
	const off_t offset = (w->first + at) * SECTOR;
	const ssize_t rc = out ? pwrite(disk, w->buffer, n, offset) :
				 pread(disk, w->buffer, n, offset);

	if (rc != (ssize_t)n)
		die("I/O error: %s of %zu bytes at %llu: %s", out ? "write" : "read", n,
		    (unsigned long long)offset, rc < 0 ? strerror(errno) : "short");
}

static void put(struct worker *w, uint64_t at, uint64_t n)
{
	w->write++;
	for (uint64_t i = 0; i < n; i++) {
		struct sector *s = &w->buffer[i];

		*s = (struct sector){
			.magic = MAGIC, .number = w->first + at + i,
			.write = w->write, .flushed = w->flushed,
		};
		for (unsigned int k = 0; k < sizeof(s->data) / sizeof(*s->data); k += 7)
			s->data[k] = draw(&w->random, UINT64_MAX);
		s->sum = sum_of(s);
	}
	move(w, true, at, n * SECTOR);
	for (uint64_t i = 0; i < n; i++)
		w->last[at + i] = w->write;
	w->writes++;
}

static void get(struct worker *w, uint64_t at, uint64_t n)
{
	move(w, false, at, n * SECTOR);
	for (uint64_t i = 0; i < n; i++)
		check(w, &w->buffer[i], at + i);
	w->reads++;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const unsigned int index = w->first / sectors;
	uint64_t n, at, covered;
	unsigned int kind;

	while (!__atomic_load_n(&ends, __ATOMIC_RELAXED)) {
		if (index >= __atomic_load_n(&active, __ATOMIC_RELAXED)) {
			usleep(20000);
			continue;
		}
		/* Small ones most of the time. */
		n = 1 << draw(&w->random, 1 + draw(&w->random, 12));
		at = draw(&w->random, sectors - n + 1);
		kind = draw(&w->random, 16);
		if (kind < 9) {
			put(w, at, n);
		} else if (kind < 15) {
			get(w, at, n);
		} else {
			covered = w->write;
			if (fdatasync(disk) < 0)
				die("I/O error: flush: %s", strerror(errno));
			w->flushed = covered;
			w->flushes++;
		}
	}
	for (at = 0; at < sectors; at += n) {
		n = sectors - at < LONGEST / SECTOR ? sectors - at : LONGEST / SECTOR;
		get(w, at, n);
	}
	return NULL;
}

static int run(const char *device, uint64_t seed)
{
	struct pollfd told = { .fd = STDIN_FILENO, .events = POLLIN };
	static struct worker worker[REGIONS];
	unsigned int writes = 0, reads = 0, flushes = 0;
	uint64_t random = seed * 2654435761u + 1, size;

	disk = open(device, O_RDWR | O_DIRECT);
	if (disk < 0 || ioctl(disk, BLKGETSIZE64, &size) < 0)
		die("%s: %s", device, strerror(errno));
	sectors = size / SECTOR / REGIONS;
	if (sectors < LONGEST / SECTOR)
		die("%s: %u MiB at least", device, LONGEST / 1048576 * REGIONS);
	active = 1;
	for (unsigned int i = 0; i < REGIONS; i++) {
		struct worker *w = &worker[i];

		w->first = i * sectors;
		w->random = random + i;
		w->last = room(sectors * sizeof(*w->last));
		w->buffer = room(LONGEST);
		if (pthread_create(&w->thread, NULL, work, w))
			die("no thread");
	}
	puts("verify: begins.");
	fflush(stdout);
	while (poll(&told, 1, 1000) <= 0)
		__atomic_store_n(&active, 1u << draw(&random, 7), __ATOMIC_RELAXED);
	__atomic_store_n(&ends, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < REGIONS; i++) {
		pthread_join(worker[i].thread, NULL);
		writes += worker[i].writes;
		reads += worker[i].reads;
		flushes += worker[i].flushes;
	}
	printf("verify: whole after %u writes, %u reads, %u flushes.\n", writes, reads, flushes);
	return 0;
}

/* ---- beside the disk */

/* A write to one sector, and of each region all of them. */
struct entry {
	uint64_t write;
	uint32_t number;
};

struct history {
	uint64_t sectors, *newest;	/* of each sector: its newest write so far */
	struct entry *entry;
	size_t entries, space, again;
	unsigned int writes, flushes;
};

/* As powerdisk.c writes it. */
struct record {
	uint32_t type, fua;
	uint64_t offset, length;
};

static void note(struct history *h, const struct sector *s, uint64_t number)
{
	if (!whole(s, number))
		die("sector %llu was written by another", (unsigned long long)number);
	if (s->write < h->newest[number])
		die("sector %llu: write %llu ran after %llu was visible",
		    (unsigned long long)number, (unsigned long long)s->write,
		    (unsigned long long)h->newest[number]);
	h->again += s->write == h->newest[number];
	h->newest[number] = s->write;
	if (h->entries == h->space) {
		h->space = h->space ? h->space * 2 : 65536;
		h->entry = realloc(h->entry, h->space * sizeof(*h->entry));
		if (!h->entry)
			die("out of memory");
	}
	h->entry[h->entries++] = (struct entry){ s->write, number };
}

static void read_log(struct history *h, const char *path)
{
	FILE *log = fopen(path, "r");
	struct sector *buffer = NULL;
	size_t space = 0;
	struct record r;

	if (!log)
		die("%s: %s", path, strerror(errno));
	while (fread(&r, sizeof(r), 1, log) == 1) {
		if (r.length > space) {
			free(buffer);
			space = r.length;
			buffer = room(space);
		}
		/* The end may have been cut off. */
		if (r.length && fread(buffer, r.length, 1, log) != 1)
			break;
		h->flushes += r.type == 1;
		if (r.type)
			continue;
		h->writes++;
		if (r.offset % SECTOR || r.length % SECTOR ||
		    (r.offset + r.length) / SECTOR > h->sectors)
			die("a write of %llu bytes at %llu", (unsigned long long)r.length,
			    (unsigned long long)r.offset);
		for (uint64_t i = 0; i < r.length / SECTOR; i++)
			note(h, &buffer[i], r.offset / SECTOR + i);
	}
	free(buffer);
	fclose(log);
}

/* What the newest flush that this region's sectors know of covers must all be there. */
static uint64_t check_region(const struct history *h, const struct sector *image, uint64_t first,
			     uint64_t n, uint64_t *least)
{
	uint64_t flushed = 0;

	for (uint64_t i = first; i < first + n; i++) {
		least[i] = 0;
		if (!image[i].magic)
			continue;
		if (!whole(&image[i], i))
			die("sector %llu of the image is damaged", (unsigned long long)i);
		flushed = image[i].flushed > flushed ? image[i].flushed : flushed;
	}
	for (size_t k = 0; k < h->entries; k++) {
		const struct entry *e = &h->entry[k];

		if (e->number >= first && e->number < first + n && e->write <= flushed &&
		    e->write > least[e->number])
			least[e->number] = e->write;
	}
	for (uint64_t i = first; i < first + n; i++)
		if ((image[i].magic ? image[i].write : 0) < least[i])
			die("sector %llu is of write %llu: %llu was flushed", (unsigned long long)i,
			    (unsigned long long)image[i].write, (unsigned long long)least[i]);
	return flushed;
}

static void check_image(const struct history *h, const char *path)
{
	const uint64_t n = h->sectors / REGIONS;
	struct sector *image = room(h->sectors * SECTOR);
	uint64_t *least = room(h->sectors * sizeof(*least)), flushed = 0;
	FILE *file = fopen(path, "r");

	if (!file || fread(image, SECTOR, h->sectors, file) != h->sectors)
		die("%s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < REGIONS; i++)
		flushed += check_region(h, image, i * n, n, least);
	printf("verify: image whole: %llu flushed writes.\n", (unsigned long long)flushed);
	fclose(file);
}

int main(int argc, char **argv)
{
	struct history h = { .sectors = argc > 3 ? strtoull(argv[3], NULL, 10) * 2048 : 0 };

	if (argc == 4 && !strcmp(argv[1], "run"))
		return run(argv[2], strtoull(argv[3], NULL, 10));
	if (argc < 4 || strcmp(argv[1], "log")) {
		fprintf(stderr, "usage: verify run DEVICE SEED\n"
			"       verify log LOG MIB [IMAGE...]\n");
		return 2;
	}
	h.newest = room(h.sectors * sizeof(*h.newest));
	read_log(&h, argv[2]);
	printf("verify: log whole: %u writes of %zu sectors, %zu written again, %u flushes.\n",
	       h.writes, h.entries, h.again, h.flushes);
	for (int i = 4; i < argc; i++)
		check_image(&h, argv[i]);
	return 0;
}
