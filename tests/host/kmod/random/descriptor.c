// SPDX-License-Identifier: Apache-2.0
/* Steps: descriptors come, go, and are sent to other processes. */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "random.h"

void make_descriptor(void)
{
	int pipes[2], fd;

	switch (below(4)) {
	case 0:
		keep(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), EVENT);
		break;
	case 1:
		if (!pipe2(pipes, O_NONBLOCK | O_CLOEXEC)) {
			keep(pipes[1], PIPE);
			close(pipes[0]);
		}
		break;
	case 2:
		fd = memfd_create("random", MFD_ALLOW_SEALING | MFD_CLOEXEC);
		if (fd >= 0 && !ftruncate(fd, GUEST_SIZE))
			fcntl(fd, F_ADD_SEALS, one_in(5) ? 0 : F_SEAL_SHRINK | F_SEAL_GROW |
			      (one_in(5) ? 0 : F_SEAL_FUTURE_WRITE | F_SEAL_SEAL));
		keep(fd, MEMORY);
		break;
	default:
		keep(open("/dev/ultravisor", O_RDWR | O_CLOEXEC), DEVICE);
	}
}

void drop_descriptor(void)
{
	unsigned int i = below(MAX_FDS);

	if (kinds[i] == NOTHING)
		return;
	if (one_in(4)) {
		keep(dup(fds[i]), kinds[i]);
		return;
	}
	close(fds[i]);
	kinds[i] = NOTHING;
}

void use_eventfd(void)
{
	uint64_t count = 1;
	int fd = pick(EVENT);

	if (below(2))
		(void)!write(fd, &count, sizeof(count));
	else
		(void)!read(fd, &count, sizeof(count));
}

void pass_descriptor(void)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	unsigned int i = below(MAX_FDS);
	uint8_t kind = kinds[i];
	struct iovec iov = { &kind, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;

	if (kind == NOTHING)
		return;
	head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fds[i], sizeof(int));
	if (sendmsg(mail[below(processes)][1], &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		shared->passed++;
}

void take_descriptor(void)
{
	/* A child of a step has no mailbox of its own. */
	const bool boxed = me >= shared->workers && me < shared->workers + MAX_PROCESSES;
	const int from = mail[boxed ? me - shared->workers : 0][0];
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	uint8_t kind;
	struct iovec iov = { &kind, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;
	int fd;

	if (recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return;
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	memcpy(&fd, CMSG_DATA(head), sizeof(int));
	keep(fd, kind < NR_KINDS ? kind : PIPE);
}
