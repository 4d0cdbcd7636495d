/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that holds a write back, to show what becomes of a dead server's. Usage:
 *
 *   slowdisk DEVICE|SOCKET MIB MARK SECONDS LOG
 *     An empty disk in memory by the kernel's NBD at DEVICE, or for clients of an NBD server at
 *     SOCKET. The first write that begins with the text MARK takes effect, and is answered, SECONDS
 *     after it has come; whatever comes meanwhile passes it. A connection whose client is gone is
 *     open until its write is over. Ends by SIGTERM.
 *
 * LOG gets a line for each request, in their order: "12.345678 write 4096 512", the time
 * (CLOCK_MONOTONIC) at which it came, its offset and length, "hold" in place of "write" for the one
 * that is held, and "done" when that is over.
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
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECTOR 512
#define CLIENTS 8

/* The handshake of the protocol; not in linux/nbd.h. */
#define GREETING	0x4e42444d41474943ull	/* "NBDMAGIC" */
#define OPTION		0x49484156454f5054ull	/* "IHAVEOPT" */
#define ANSWER		0x0003e889045565a9ull
#define FIXED		3u			/* fixed newstyle, no zeroes */
#define OPTION_ABORT	2u
#define OPTION_GO	7u
#define ANSWER_ACK	1u
#define ANSWER_INFO	3u
#define ANSWER_UNKNOWN	0x80000001u

static unsigned char *disk;
static size_t disk_size;
static FILE *log_file;
static int device = -1;

/* The write that is held. */
static struct {
	bool was, is, orphaned;		/* orphaned: its client is gone */
	int s;
	double until;
	uint64_t offset;
	uint32_t length;
	void *data;
	struct nbd_reply answer;
} held;

static _Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("slowdisk: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void tell(const char *what, uint64_t offset, uint32_t length)
{
	fprintf(log_file, "%.6f %s %llu %u\n", now(), what, (unsigned long long)offset, length);
	fflush(log_file);
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

		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;
		if (n < 0 && errno != EINTR)
			die("the other end of the socket: %s", strerror(errno));
		done += n > 0 ? n : 0;
	}
}

static void release(void)
{
	memcpy(disk + held.offset, held.data, held.length);
	free(held.data);
	held.is = false;
	tell("done", held.offset, held.length);
	if (held.orphaned)
		close(held.s);
	else
		write_all(held.s, &held.answer, sizeof(held.answer));
}

/* false: no more requests will come */
static bool serve_write(int s, uint64_t offset, uint32_t length, const struct nbd_reply *answer,
			const char *mark, double seconds)
{
	void *data = malloc(length);

	if (!data || !read_all(s, data, length))
		return false;
	if (!held.was && length >= strlen(mark) && !memcmp(data, mark, strlen(mark))) {
		tell("hold", offset, length);
		held.was = held.is = true;
		held.s = s;
		held.until = now() + seconds;
		held.offset = offset;
		held.length = length;
		held.data = data;
		held.answer = *answer;
		return true;
	}
	tell("write", offset, length);
	memcpy(disk + offset, data, length);
	free(data);
	write_all(s, answer, sizeof(*answer));
	return true;
}

static bool serve_request(int s, const char *mark, double seconds)
{
	struct nbd_reply a = { .magic = htobe32(NBD_REPLY_MAGIC) };
	struct nbd_request q;
	uint64_t offset;
	uint32_t length;

	if (!read_all(s, &q, sizeof(q)))
		return false;
	if (be32toh(q.magic) != NBD_REQUEST_MAGIC)
		die("a request without its magic number");
	offset = be64toh(q.from);
	length = be32toh(q.len);
	memcpy(&a.handle, &q.handle, sizeof(a.handle));
	switch (be32toh(q.type) & 0xffff) {
	case NBD_CMD_WRITE:
	case NBD_CMD_READ:
		if (offset > disk_size || length > disk_size - offset)
			die("a request beyond the end");
		break;
	case NBD_CMD_FLUSH:
		tell("flush", 0, 0);
		write_all(s, &a, sizeof(a));
		return true;
	default:
		return false;
	}
	if ((be32toh(q.type) & 0xffff) == NBD_CMD_WRITE)
		return serve_write(s, offset, length, &a, mark, seconds);
	tell("read", offset, length);
	write_all(s, &a, sizeof(a));
	write_all(s, disk + offset, length);
	return true;
}

static void disconnect(int signal_number)
{
	(void)signal_number;
	ioctl(device, NBD_DISCONNECT);
}

/* Only the child's call of NBD_DO_IT keeps the device; it ends with the socket. */
static pid_t attach(const char *path, int s[2])
{
	const unsigned long flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH;
	pid_t child;

	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("%s: %s", path, strerror(errno));
	if (ioctl(device, NBD_SET_BLKSIZE, (unsigned long)SECTOR) < 0 ||
	    ioctl(device, NBD_SET_SIZE_BLOCKS, (unsigned long)(disk_size / SECTOR)) < 0 ||
	    ioctl(device, NBD_SET_SOCK, s[0]) < 0 || ioctl(device, NBD_SET_FLAGS, flags) < 0)
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

static void answer_option(int s, uint32_t option, uint32_t type, const void *data, uint32_t n)
{
	struct {
		uint64_t magic;
		uint32_t option, type, length;
	} __attribute__((packed)) a = {
		htobe64(ANSWER), htobe32(option), htobe32(type), htobe32(n),
	};

	write_all(s, &a, sizeof(a));
	write_all(s, data, n);
}

/* false: it wants no disk */
static bool shake_hands(int s)
{
	struct {
		uint64_t greeting, option;
		uint16_t flags;
	} __attribute__((packed)) hello = { htobe64(GREETING), htobe64(OPTION), htobe16(FIXED) };
	struct {
		uint16_t what;
		uint64_t size;
		uint16_t flags;
	} __attribute__((packed)) export = {
		0, htobe64(disk_size), htobe16(NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH),
	};
	struct {
		uint64_t magic;
		uint32_t option, length;
	} __attribute__((packed)) q;
	char data[4096];
	uint32_t flags;

	write_all(s, &hello, sizeof(hello));
	if (!read_all(s, &flags, sizeof(flags)))
		return false;
	for (;;) {
		if (!read_all(s, &q, sizeof(q)) || be64toh(q.magic) != OPTION ||
		    be32toh(q.length) > sizeof(data) || !read_all(s, data, be32toh(q.length)))
			return false;
		switch (be32toh(q.option)) {
		case OPTION_GO:
			answer_option(s, OPTION_GO, ANSWER_INFO, &export, sizeof(export));
			answer_option(s, OPTION_GO, ANSWER_ACK, NULL, 0);
			return true;
		case OPTION_ABORT:
			answer_option(s, OPTION_ABORT, ANSWER_ACK, NULL, 0);
			return false;
		default:
			answer_option(s, be32toh(q.option), ANSWER_UNKNOWN, NULL, 0);
		}
	}
}

static int until_release(void)
{
	return !held.is ? -1 : held.until <= now() ? 0 : (int)((held.until - now()) * 1000) + 1;
}

/* One listens, the others are clients; a thread for all of them, as none of ours is slow. */
static int serve_socket(const char *path, const char *mark, double seconds)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pollfd p[1 + CLIENTS];
	unsigned int i;
	int s;

	if (strlen(path) >= sizeof(address.sun_path))
		die("%s is too long", path);
	strcpy(address.sun_path, path);
	p[0].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	p[0].events = POLLIN;
	for (i = 1; i <= CLIENTS; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	if (bind(p[0].fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(p[0].fd, 8) < 0)
		die("%s: %s", path, strerror(errno));
	for (;;) {
		if (poll(p, 1 + CLIENTS, until_release()) < 0)
			continue;
		if (held.is && held.until <= now())
			release();
		for (i = 1; i <= CLIENTS; i++) {
			if (p[i].fd < 0 || !p[i].revents || serve_request(p[i].fd, mark, seconds))
				continue;
			tell("gone", 0, 0);
			held.orphaned = held.is && held.s == p[i].fd;
			if (!held.orphaned)
				close(p[i].fd);
			p[i].fd = -1;
		}
		if (!(p[0].revents & POLLIN))
			continue;
		s = accept(p[0].fd, NULL, NULL);
		for (i = 1; i <= CLIENTS && p[i].fd >= 0; i++)
			;
		tell("client", 0, 0);
		if (i > CLIENTS || !shake_hands(s))
			close(s);
		else
			p[i].fd = s;
	}
}

int main(int argc, char **argv)
{
	struct sigaction end = { .sa_handler = disconnect, .sa_flags = SA_RESTART };
	struct pollfd p = { .events = POLLIN };
	double seconds;
	struct stat st;
	pid_t child;
	int s[2];

	if (argc != 6)
		die("usage: slowdisk DEVICE|SOCKET MIB MARK SECONDS LOG");
	disk_size = strtoull(argv[2], NULL, 10) << 20;
	disk = mmap(NULL, disk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	log_file = fopen(argv[5], "w");
	if (disk == MAP_FAILED || !log_file ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		die("set-up: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	seconds = strtod(argv[4], NULL);
	if (stat(argv[1], &st) < 0 || !S_ISBLK(st.st_mode))
		return serve_socket(argv[1], argv[3], seconds);
	child = attach(argv[1], s);
	sigaction(SIGTERM, &end, NULL);
	p.fd = s[1];
	for (;;) {
		p.revents = 0;
		if (poll(&p, 1, until_release()) < 0)
			continue;
		if (held.is && held.until <= now())
			release();
		if (p.revents && !serve_request(s[1], argv[3], seconds))
			break;
	}
	close(s[1]);
	waitpid(child, NULL, 0);
	return 0;
}
