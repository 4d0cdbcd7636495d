/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a guest's disk is: requests of one size, so many at once, past the page cache, for some
 * time; at random places, or one behind the other. Linux's own asynchronous I/O (io_submit(2)).
 *
 *   iobench DEVICE SECONDS read|write random|sequential BYTES DEPTH
 *
 * Prints "iobench: OPERATION ORDER BYTES DEPTH: N requests in NS ns".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#define DEPTH 128

static void die(const char *what)
{
	fprintf(stderr, "iobench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static uint64_t random_state = 88172645463325252ULL;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

int main(int argc, char **argv)
{
	struct iocb request[DEPTH] = { 0 }, *one;
	uint64_t size, blocks, next = 0, done = 0, begin, end, at;
	struct io_event event[DEPTH];
	aio_context_t context = 0;
	unsigned int bytes, depth;
	int fd, writes, random, n;
	char *buffer;

	if (argc != 7)
		return 2;
	writes = !strcmp(argv[3], "write");
	random = !strcmp(argv[4], "random");
	bytes = atoi(argv[5]);
	depth = atoi(argv[6]);
	fd = open(argv[1], (writes ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0)
		die(argv[1]);
	blocks = size / bytes;
	if (!depth || depth > DEPTH || syscall(SYS_io_setup, depth, &context) < 0)
		die("io_setup");
	if (posix_memalign((void **)&buffer, 4096, (size_t)bytes * depth))
		die("memory");
	memset(buffer, 0x5a, (size_t)bytes * depth);
	for (unsigned int i = 0; i < depth; i++) {
		request[i].aio_lio_opcode = writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
		request[i].aio_fildes = fd;
		request[i].aio_buf = (uintptr_t)buffer + (size_t)i * bytes;
		request[i].aio_nbytes = bytes;
		request[i].aio_data = i;
	}
	begin = now();
	end = begin + atof(argv[2]) * 1e9;
	for (unsigned int i = 0; i < depth; i++) {
		one = &request[i];
		one->aio_offset = (random ? draw(blocks) : next++ % blocks) * bytes;
		if (syscall(SYS_io_submit, context, 1, &one) != 1)
			die("io_submit");
	}
	do {
		n = syscall(SYS_io_getevents, context, 1, depth, event, NULL);
		if (n < 0)
			die("io_getevents");
		for (int i = 0; i < n; i++) {
			if (event[i].res != (int64_t)bytes) {
				errno = event[i].res < 0 ? -event[i].res : EIO;
				die("a request");
			}
			one = &request[event[i].data];
			one->aio_offset = (random ? draw(blocks) : next++ % blocks) * bytes;
			if (syscall(SYS_io_submit, context, 1, &one) != 1)
				die("io_submit");
		}
		done += n;
		at = now();
	} while (at < end);
	printf("iobench: %s %s %u %u: %llu requests in %llu ns\n", argv[3], argv[4], bytes, depth,
	       (unsigned long long)done, (unsigned long long)(at - begin));
	return 0;
}
