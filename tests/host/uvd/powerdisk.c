/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that remembers, to show what a power loss leaves of what was on it. Usage:
 *
 *   powerdisk serve DEVICE MIB LOG FIFO
 *     An empty disk in memory with a volatile write cache, by the kernel's NBD at DEVICE. LOG gets
 *     each write and each flush in their order, and each line that comes through FIFO (a mark).
 *     Ends by SIGTERM.
 *   powerdisk rebuild LOG MIB SEED IMAGE [lying]
 *     Writes the disk to IMAGE as it is after a loss of power at a point that SEED chooses, after
 *     the mark "begin"; prints the marks before that point. What a completed flush covers, and
 *     completed writes with FUA, are there; of any other write all, nothing, or any of its sectors.
 *     Lying: the last flushes were answered and not done; all after the one before them is lost.
 *
 * One thread takes requests in turn: a write is complete when the next record is logged, and the
 * last record before the point is of a request that was never answered.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nbd.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECTOR 512
#define REQUEST_FUA (1u << 16)		/* of the protocol; not in linux/nbd.h */

enum { RECORD_WRITE, RECORD_FLUSH, RECORD_MARK };

struct record {				/* data of this length follows */
	uint32_t type;
	uint32_t fua;
	uint64_t offset;
	uint64_t length;
};

static unsigned char *disk;
static size_t disk_size;

static _Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("powerdisk: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void log_record(FILE *log, uint32_t type, bool fua, uint64_t offset,
		       const void *data, size_t length)
{
	struct record r = { .type = type, .fua = fua, .offset = offset, .length = length };

	if (fwrite(&r, sizeof(r), 1, log) != 1 || (length && fwrite(data, length, 1, log) != 1))
		die("the log cannot be written: %s", strerror(errno));
}

static bool read_all(int fd, void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)to + done, size - done);

		if (n <= 0 && errno != EINTR)
			return false;
		done += n > 0 ? n : 0;
	}
	return true;
}

static void write_all(int fd, const void *from, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)from + done, size - done);

		if (n < 0 && errno != EINTR)
			die("the kernel's end of the socket: %s", strerror(errno));
		done += n > 0 ? n : 0;
	}
}

/* false: no more requests will come */
static bool serve_request(int s, FILE *log)
{
	struct nbd_request q;
	struct nbd_reply a = { .magic = htobe32(NBD_REPLY_MAGIC) };
	uint64_t offset;
	uint32_t type, length;

	if (!read_all(s, &q, sizeof(q)))
		return false;
	if (be32toh(q.magic) != NBD_REQUEST_MAGIC)
		die("a request without its magic number");
	type = be32toh(q.type);
	offset = be64toh(q.from);
	length = be32toh(q.len);
	memcpy(&a.handle, &q.handle, sizeof(a.handle));
	switch (type & 0xffff) {
	case NBD_CMD_READ:
	case NBD_CMD_WRITE:
		if (offset > disk_size || length > disk_size - offset)
			die("a request beyond the end");
		break;
	case NBD_CMD_FLUSH:
		break;
	case NBD_CMD_DISC:
		return false;
	default:
		die("request %u was not offered", type);
	}
	if ((type & 0xffff) == NBD_CMD_WRITE) {
		if (!read_all(s, disk + offset, length))
			return false;
		log_record(log, RECORD_WRITE, type & REQUEST_FUA, offset, disk + offset, length);
	} else if ((type & 0xffff) == NBD_CMD_FLUSH) {
		log_record(log, RECORD_FLUSH, false, 0, NULL, 0);
	}
	write_all(s, &a, sizeof(a));
	if ((type & 0xffff) == NBD_CMD_READ)
		write_all(s, disk + offset, length);
	return true;
}

/* A line is less than PIPE_BUF, so it comes in one piece; several may come at once. */
static void take_marks(int fd, FILE *log)
{
	char lines[65536];
	ssize_t n = read(fd, lines, sizeof(lines));

	for (char *p = lines, *end; n > 0 && p < lines + n; p = end + 1) {
		end = memchr(p, '\n', lines + n - p);
		if (!end)
			die("half of a mark");
		log_record(log, RECORD_MARK, false, 0, p, end - p);
	}
}

static int device = -1;

static void disconnect(int signal_number)
{
	(void)signal_number;
	ioctl(device, NBD_DISCONNECT);
}

/* Only the child's call of NBD_DO_IT keeps the device; it ends with the socket. */
static pid_t attach(const char *path, int s[2])
{
	const unsigned long flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA;
	pid_t child;

	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("%s: %s", path, strerror(errno));
	if (ioctl(device, NBD_SET_BLKSIZE, (unsigned long)SECTOR) < 0 ||
	    ioctl(device, NBD_SET_SIZE_BLOCKS, (unsigned long)(disk_size / SECTOR)) < 0 ||
	    ioctl(device, NBD_SET_SOCK, s[0]) < 0 ||
	    ioctl(device, NBD_SET_FLAGS, flags) < 0)
		die("%s: set-up: %s", path, strerror(errno));
	child = fork();
	if (child < 0)
		die("fork: %s", strerror(errno));
	if (!child) {
		close(s[1]);
		_exit(ioctl(device, NBD_DO_IT) < 0 ? 1 : 0);
	}
	close(s[0]);
	return child;
}

static int serve(const char *path, const char *log_path, const char *fifo)
{
	struct sigaction end = { .sa_handler = disconnect, .sa_flags = SA_RESTART };
	FILE *log = fopen(log_path, "w");
	int marks = open(fifo, O_RDWR | O_CLOEXEC), s[2];
	struct pollfd fds[2];
	pid_t child;

	if (!log || marks < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		die("%s, %s: %s", log_path, fifo, strerror(errno));
	disk = mmap(NULL, disk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (disk == MAP_FAILED)
		die("no memory for the disk");
	child = attach(path, s);
	sigaction(SIGTERM, &end, NULL);
	fds[0] = (struct pollfd){ .fd = s[1], .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = marks, .events = POLLIN };
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			take_marks(marks, log);
		if (fds[0].revents && !serve_request(s[1], log))
			break;
	}
	close(s[1]);
	waitpid(child, NULL, 0);
	if (fclose(log))
		die("%s: %s", log_path, strerror(errno));
	return 0;
}

/* xorshift64*: the same everywhere, unlike random(3) */
static uint64_t state;

static uint64_t draw(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 16) % below;
}

static const struct record **records;
static size_t count;

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	const char *p, *end;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", path, strerror(errno));
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	records = calloc(st.st_size / sizeof(struct record) + 1, sizeof(*records));
	if (p == MAP_FAILED || !records)
		die("%s: %s", path, strerror(errno));
	for (end = p + st.st_size; p < end; p += sizeof(struct record) + records[count++]->length)
		records[count] = (const struct record *)p;
}

static void apply(const struct record *r, size_t from, size_t length)
{
	memcpy(disk + r->offset + from, (const char *)(r + 1) + from, length);
}

static void apply_some(const struct record *r, unsigned int keep, unsigned int *torn)
{
	if (draw(100) < 25) {
		for (size_t at = 0; at < r->length; at += SECTOR)
			if (draw(100) < keep)
				apply(r, at, SECTOR);
		++*torn;
	} else if (draw(100) < keep) {
		apply(r, 0, r->length);
	}
}

static int rebuild(uint64_t seed, const char *path, bool lying)
{
	size_t begin = 0, point, durable, flushes = 0;
	unsigned int open_writes = 0, torn = 0, keep;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	while (begin < count &&
	       (records[begin]->type != RECORD_MARK || records[begin]->length != 5 ||
		memcmp(records[begin] + 1, "begin", 5)))
		begin++;
	if (begin + 2 >= count)
		die("no mark says begin, or nothing follows");
	state = seed * 0x9e3779b97f4a7c15ull + 1;
	draw(1);
	point = begin + 1 + draw(count - begin - 1);
	/* Just before a flush is where most is at stake. */
	if (draw(4))
		while (point < count && records[point]->type != RECORD_FLUSH)
			point++;
	keep = draw(5) * 25;
	disk = calloc(1, disk_size);
	if (!disk || fd < 0)
		die("%s: %s", path, strerror(errno));
	/* The request of the last record was under way, so a flush there covers nothing. */
	flushes = lying ? 1 + draw(40) : 0;
	for (durable = point - 1; durable > begin; durable--)
		if (records[durable - 1]->type == RECORD_FLUSH && (!lying || !flushes--))
			break;
	for (size_t i = 0; i < point; i++) {
		const struct record *r = records[i];

		if (r->type == RECORD_MARK && i > begin)
			printf("%.*s\n", (int)r->length, (const char *)(r + 1));
		if (r->type != RECORD_WRITE)
			continue;
		if (i < durable || (r->fua && i + 1 < point && !lying)) {
			apply(r, 0, r->length);
		} else if (!lying) {
			open_writes++;
			apply_some(r, keep, &torn);
		}
	}
	write_all(fd, disk, disk_size);
	if (close(fd) || fflush(stdout))
		die("%s: %s", path, strerror(errno));
	fprintf(stderr, "seed %llu: point %zu of %zu, %u writes not flushed, %u %% kept, %u torn\n",
		(unsigned long long)seed, point, count, open_writes, keep, torn);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3)
		disk_size = strtoul(argv[3], NULL, 10) << 20;
	if (argc == 6 && !strcmp(argv[1], "serve"))
		return serve(argv[2], argv[4], argv[5]);
	if (argc > 5 && !strcmp(argv[1], "rebuild") &&
	    (argc == 6 || (argc == 7 && !strcmp(argv[6], "lying")))) {
		load(argv[2]);
		return rebuild(strtoull(argv[4], NULL, 10), argv[5], argc == 7);
	}
	die("usage: powerdisk serve DEVICE MIB LOG FIFO | rebuild LOG MIB SEED IMAGE [lying]");
}
