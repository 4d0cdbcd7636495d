/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/uuid.h>

#include "process.h"
#include "spawn.h"

#define ARGUMENTS 128

struct arguments {
	unsigned int n, fds;
	bool full;
	char *argv[ARGUMENTS + 1];
	int fd[ARGUMENTS];
	struct kernel *kernel;
	char *failure;
};

static void add(struct arguments *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add(struct arguments *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (a->n == ARGUMENTS || vasprintf(&a->argv[a->n], format, args) < 0)
		a->full = true;
	else
		a->argv[++a->n] = NULL;
	va_end(args);
}

/* Descriptors keep their numbers in the child; what is not on the list closes on exec. */
static int give(struct arguments *a, int fd)
{
	if (fd >= 0 && a->fds < ARGUMENTS)
		a->fd[a->fds++] = fd;
	return fd;
}

static void arguments_uninit(struct arguments *a)
{
	while (a->n)
		free(a->argv[--a->n]);
}

static int give_endpoint(struct arguments *a, uint64_t id, uint32_t role)
{
	int fd = kernel_object_open(a->kernel, id, role, 0);

	if (fd < 0)
		snprintf(a->failure, SPAWN_FAILURE, "object %llu: %s", (unsigned long long)id,
			 strerror(-fd));
	return fd < 0 ? fd : give(a, fd);
}

static int add_device(struct arguments *a, const struct launch_device *d)
{
	int fd = give_endpoint(a, d->channel, ULTRAVISOR_ROLE_CLIENT);

	if (fd < 0)
		return fd;
	if (d->type == DEVICE_CONSOLE) {
		add(a, "--console");
		add(a, "%d", fd);
		return 0;
	}
	add(a, "--device");
	if (d->type == DEVICE_NETWORK)
		add(a, "network:%s:%d:%02x:%02x:%02x:%02x:%02x:%02x", d->name, fd, d->mac[0],
		    d->mac[1], d->mac[2], d->mac[3], d->mac[4], d->mac[5]);
	else
		add(a, "block:%s:%d", d->name, fd);
	return 0;
}

/* Opened endpoints are a's fds from own_from on; the rest are the launch's. */
static int make_arguments(struct launch *l, struct arguments *a, unsigned int *own_from)
{
	char uuid[UUID_TEXT];
	unsigned int i;
	int fd, rc = 0;

	add(a, "uvmonitor");
	add(a, "--name");
	add(a, "%s", l->name);
	add(a, "--uuid");
	add(a, "%s", uuid_format(l->partition, uuid));
	add(a, "--vcpus");
	add(a, "%u", l->vcpus);
	for (i = 0; i < l->blocks; i++) {
		add(a, "--memory");
		add(a, "%d:%llu:%llu", give(a, l->block[i].fd),
		    (unsigned long long)l->block[i].gpa, (unsigned long long)l->block[i].length);
	}
	add(a, "--kernel");
	add(a, "%d", give(a, l->kernel));
	if (l->initrd >= 0) {
		add(a, "--initrd");
		add(a, "%d", give(a, l->initrd));
	}
	*own_from = a->fds;
	fd = give_endpoint(a, l->id, ULTRAVISOR_ROLE_MONITOR);
	if (fd < 0)
		return fd;
	add(a, "--partition");
	add(a, "%d", fd);
	fd = give_endpoint(a, l->monitor, ULTRAVISOR_ROLE_CLIENT);
	if (fd < 0)
		return fd;
	add(a, "--channel");
	add(a, "%d", fd);
	for (i = 0; i < l->devices && rc == 0; i++)
		rc = add_device(a, &l->device[i]);
	/* Last: it is long, and ps shows the rest first. */
	add(a, "--cmdline");
	add(a, "%s", l->cmdline);
	return rc < 0 ? rc : a->full ? -E2BIG : 0;
}

static void child(const char *program, const struct arguments *a, int go)
{
	sigset_t none;
	unsigned int i;
	int null;
	char c;

	/* Nothing comes if uvd dies before this process is on record. */
	if (read(go, &c, 1) != 1)
		_exit(0);
	for (i = 0; i < a->fds; i++)
		fcntl(a->fd[i], F_SETFD, 0);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* uvd's watchdog and readiness are not the child's to report. */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	execv(program, (char *const *)a->argv);
	_exit(127);
}

static int fork_monitor(const char *program, const struct arguments *a, struct spawned *p)
{
	int pipe_fd[2], rc;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(pipe_fd[1]);
		child(program, a, pipe_fd[0]);
	}
	rc = pid < 0 ? -errno : 0;
	close(pipe_fd[0]);
	p->go = pipe_fd[1];
	if (rc < 0)
		return rc;
	p->pid = pid;
	p->pidfd = process_open(p->pid);
	return p->pidfd < 0 ? p->pidfd : 0;
}

int spawn(struct kernel *kernel, const char *program, struct launch *l, struct spawned *p,
	  char failure[SPAWN_FAILURE])
{
	struct arguments a = { .kernel = kernel, .failure = failure };
	unsigned int own_from = 0, i;
	int rc;

	*p = (struct spawned){ .pid = 0, .pidfd = -1, .go = -1 };
	rc = make_arguments(l, &a, &own_from);
	if (rc == 0)
		rc = fork_monitor(program, &a, p);
	for (i = own_from; own_from && i < a.fds; i++)
		close(a.fd[i]);
	arguments_uninit(&a);
	return rc;
}
