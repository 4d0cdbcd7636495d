/* SPDX-License-Identifier: Apache-2.0 */
/* Confinement of opsd: user, capabilities, system calls. */
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <common/privileges.h>

#include "confine.h"

#define GROUPS 64

int confine_user(const char *name, uid_t uid, gid_t gid, struct error *e)
{
	gid_t groups[GROUPS];
	int n = GROUPS, rc;

	if (getgrouplist(name, gid, groups, &n) < 0)
		return error_set(e, EXIT_FAILED, "user %s is in more than %d groups", name, GROUPS);
	rc = privileges_become(uid, gid, groups, n);
	if (rc < 0) {
		error_set(e, EXIT_FAILED, "opsd cannot become user %s: %s", name, strerror(-rc));
		return error_fix(e, "start it as root");
	}
	return 0;
}

#define END (-1)

static const struct call_group {
	const char *reason;
	int call[40];			/* up to END */
} groups[] = {
	{ "memory: malloc, and libraries that NSS loads for a user's name",
	  { SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	    SCMP_SYS(mprotect), END } },
	{ "files: the store with its log and index, NSS's, the socket's directory",
	  { SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64),
	    SCMP_SYS(pwrite64), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(fstat),
	    SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx),
	    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	    SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	    SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fchmod), SCMP_SYS(umask),
	    SCMP_SYS(getdents64), SCMP_SYS(statfs), SCMP_SYS(fstatfs), END } },
	{ "durability and locks of SQLite",
	  { SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(fcntl), SCMP_SYS(flock), END } },
	{ "clients, hosts, the journal, sd_notify: unix sockets (see the argument filters)",
	  { SCMP_SYS(connect), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(sendto),
	    SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
	    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
	    SCMP_SYS(setsockopt), SCMP_SYS(pipe2), END } },
	{ "the event loop, libcurl's and libmicrohttpd's",
	  { SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	    SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll),
	    SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(timerfd_create),
	    SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(eventfd2),
	    SCMP_SYS(signalfd4), END } },
	{ "time: clocks that the vDSO cannot read on every machine; SQLite waits for a reader",
	  { SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
	    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), END } },
	{ "signals, and the C library's locks",
	  { SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	    SCMP_SYS(sigaltstack), SCMP_SYS(futex), SCMP_SYS(restart_syscall), END } },
	{ "who am I, and randomness for request ids",
	  { SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	    SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrandom), SCMP_SYS(uname),
	    SCMP_SYS(sysinfo), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
	    SCMP_SYS(sched_getaffinity), END } },
	{ "the end: abort() names itself, and exit",
	  { SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group), END } },
};

/* Says which call it was; write and _exit are all that is used here. */
static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	char text[64], *name;
	int n;

	(void)signal, (void)context;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
	n = snprintf(text, sizeof(text), "opsd: system call %.24s (%d) is not allowed\n",
		     name ? name : "?", info->si_syscall);
	if (write(STDERR_FILENO, text, n) < 0)
		_exit(98);
	_exit(99);
}

int confine_calls(struct error *e)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx filter;
	size_t i, j;
	int rc = 0;

	filter = seccomp_init(SCMP_ACT_TRAP);
	if (!filter)
		return error_set(e, EXIT_FAILED, "no filter for system calls: out of memory");
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (j = 0; !rc && groups[i].call[j] != END; j++)
			rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, groups[i].call[j], 0);
	/* No network: opsd speaks to this machine's sockets alone. */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				      SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
				      SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	/* libraries ask whether a stream is a terminal, and libcurl sets sockets non-blocking */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_EQ, TCGETS));
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_EQ, FIONBIO));
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_EQ, FIONREAD));
	if (!rc && sigaction(SIGSYS, &action, NULL) < 0)
		rc = -errno;
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (!rc)
		return 0;
	error_set(e, EXIT_FAILED, "the list of system calls cannot be installed: %s",
		  strerror(-rc));
	return error_fix(e, "the kernel must have CONFIG_SECCOMP_FILTER");
}
