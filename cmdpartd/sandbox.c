/* SPDX-License-Identifier: Apache-2.0 */
/* Privileges and system calls. Each group of the list says what needs it. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <common/privileges.h>

#include "sandbox.h"

#define ULTRAVISOR_IOC_TYPE (0xbeu << 8)	/* of ULTRAVISOR_IOC, as _IO places it */

int sandbox_drop(const char *user, const char *group, struct error *e)
{
	struct passwd *p;
	struct group *g;
	int rc;

	if (geteuid() == 0) {
		g = getgrnam(group);
		p = getpwnam(user);
		if (!g || !p) {
			error_set(e, EXIT_FAILED, "there is no %s \"%s\"", g ? "user" : "group",
				  g ? user : group);
			return error_fix(e, "create the users: systemd-sysusers");
		}
		rc = privileges_become(p->pw_uid, p->pw_gid, &g->gr_gid, 1);
	} else {
		rc = privileges_keep(NULL, 0);
	}
	if (rc < 0)
		return error_set(e, EXIT_FAILED, "cannot become user %s without capabilities: %s",
				 user, strerror(-rc));
	return 0;
}

static const int allowed[] = {
	/* the loop: epoll, timers, signals, wake-ups */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_create1), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
	SCMP_SYS(signalfd4), SCMP_SYS(eventfd2), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday),
	/* descriptors and connections that exist; sockets are AF_UNIX only, below */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(dup), SCMP_SYS(fcntl), SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(shutdown),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	/* the epoch's file: write anew, make durable, put in place; paths of definitions: look */
	SCMP_SYS(openat), SCMP_SYS(rename), SCMP_SYS(fsync), SCMP_SYS(lseek),
	SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(lstat), SCMP_SYS(stat), SCMP_SYS(statx),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(access), SCMP_SYS(getcwd),
	/* the policy's directory, when it is read anew */
	SCMP_SYS(getdents64),
	/* memory that is not executable (mmap and mprotect: below) */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise),
	/* the C library: locks, randomness, abort and exit; sd_notify: whose message it is */
	SCMP_SYS(futex), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(getrandom), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(membarrier),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(tgkill),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* malloc: how many processors there are */
	SCMP_SYS(sysinfo), SCMP_SYS(sched_getaffinity),
};

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
	char line[128];
	int n;

	(void)signal, (void)context;
	n = snprintf(line, sizeof(line), "cmdpartd: system call %s (%d) is not allowed; ending\n",
		     name ? name : "?", info->si_syscall);
	if (write(STDERR_FILENO, line, n) < 0)
		_exit(EXIT_FAILED + 1);
	_exit(EXIT_FAILED);
}

static int add_rules(scmp_filter_ctx filter)
{
	static const int no_exec[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !rc && i < sizeof(no_exec) / sizeof(no_exec[0]); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, no_exec[i], 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* uvd's socket, the I/O partitions' consoles, the journal */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				      SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	/* the command channel's endpoint, and nothing else that ioctl reaches */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffff00u,
					      ULTRAVISOR_IOC_TYPE));
	return rc;
}

int sandbox_filter(struct error *e)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int rc = filter ? 0 : -ENOMEM;

	if (!rc)
		rc = sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
	if (!rc)
		rc = add_rules(filter);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (!rc)
		return 0;
	return error_set(e, EXIT_FAILED, "cannot restrict system calls: %s", strerror(-rc));
}
