/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dropping privileges, and the system call filter. Every entry has its reason; what is missing
 * here is answered by SIGSYS, whose handler names the call before the process ends.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/ultravisor.h>
#include <seccomp.h>

#include <common/log.h>
#include <common/privileges.h>

#include "sandbox.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

int sandbox_become(const char *user)
{
	const struct passwd *p;
	int rc;

	errno = 0;
	p = getpwnam(user);
	if (!p) {
		rc = errno ? -errno : -ENOENT;
		log_error("there is no user %s: create it with systemd-sysusers, or name another "
			  "with --user", user);
		return rc;
	}
	if (geteuid() != 0 && geteuid() != p->pw_uid)
		log_error("runs as another user than %s: start it as root or as that user", user);
	rc = privileges_become(p->pw_uid, p->pw_gid, NULL, 0);
	if (rc == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		rc = -errno;
	return rc;
}

/* Async-signal-safe: the number is written digit by digit. */
static void on_forbidden(int number, siginfo_t *info, void *context)
{
	char text[] = "iopartd: forbidden system call number      \n";
	int call = info->si_syscall, at = sizeof(text) - 3;

	(void)number;
	(void)context;
	do {
		text[at--] = '0' + call % 10;
		call /= 10;
	} while (call && at > (int)sizeof(text) - 8);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(99);
	_exit(98);
}

/* Allowed whatever the arguments. */
static const struct {
	int call;
	const char *reason;
} plain[] = {
	{ SCMP_SYS(epoll_wait), "event loop" },
	{ SCMP_SYS(epoll_pwait), "event loop" },
	{ SCMP_SYS(epoll_pwait2), "event loop" },
	{ SCMP_SYS(epoll_ctl), "event loop: sources come and go" },
	{ SCMP_SYS(epoll_create1), "libchannel's anonymous transport" },
	{ SCMP_SYS(eventfd2), "doorbells of a new device" },
	{ SCMP_SYS(timerfd_create), "event loop: first timer of a clock" },
	{ SCMP_SYS(timerfd_settime), "event loop" },
	{ SCMP_SYS(signalfd4), "event loop: signals it no longer takes, at the end" },
	{ SCMP_SYS(clock_gettime), "event loop, where the vDSO cannot" },
	{ SCMP_SYS(gettimeofday), "log, where the vDSO cannot" },
	{ SCMP_SYS(read), "timers, signals, tap" },
	{ SCMP_SYS(write), "log to stderr, signs of life" },
	{ SCMP_SYS(readv), "tap" },
	{ SCMP_SYS(writev), "tap: packets from the guest" },
	{ SCMP_SYS(pread64), "console log, probe of direct I/O" },
	{ SCMP_SYS(pwrite64), "console log" },
	{ SCMP_SYS(preadv), "backing files in memory" },
	{ SCMP_SYS(pwritev), "the same" },
	{ SCMP_SYS(fstatfs), "backing files: whether they are in memory" },
	{ SCMP_SYS(ftruncate), "console log: cutting it" },
	{ SCMP_SYS(fstat), "backing files: what they are" },
	{ SCMP_SYS(newfstatat), "the same, as this libc calls it" },
	{ SCMP_SYS(flock), "the fence" },
	{ SCMP_SYS(fcntl), "O_DIRECT, copies of endpoints" },
	{ SCMP_SYS(close), "devices and connections end" },
	{ SCMP_SYS(io_uring_enter), "disk I/O; the ring itself is restricted" },
	{ SCMP_SYS(recvmsg), "descriptors from uvd" },
	{ SCMP_SYS(recvfrom), "console connections" },
	{ SCMP_SYS(sendto), "console connections, journal" },
	{ SCMP_SYS(sendmsg), "readiness and watchdog messages" },
	{ SCMP_SYS(connect), "uvd, after it was away" },
	{ SCMP_SYS(accept4), "console connections" },
	{ SCMP_SYS(getsockopt), "console connections: peer credentials" },
	{ SCMP_SYS(setsockopt), "readiness messages: their buffer" },
	{ SCMP_SYS(brk), "malloc" },
	{ SCMP_SYS(munmap), "malloc, mappings of channels" },
	{ SCMP_SYS(mremap), "malloc" },
	{ SCMP_SYS(madvise), "malloc" },
	{ SCMP_SYS(futex), "libc's locks" },
	{ SCMP_SYS(getrandom), "libc: seeds of hash tables" },
	{ SCMP_SYS(getpid), "event loop: are we a fork" },
	{ SCMP_SYS(getuid), "sd_notify: credentials of its messages" },
	{ SCMP_SYS(getgid), "the same" },
	{ SCMP_SYS(geteuid), "secure_getenv and the like" },
	{ SCMP_SYS(getegid), "the same" },
	{ SCMP_SYS(gettid), "abort" },
	{ SCMP_SYS(tgkill), "abort" },
	{ SCMP_SYS(rt_sigaction), "SIGBUS passed on: its default again" },
	{ SCMP_SYS(rt_sigprocmask), "event loop: signals by descriptor" },
	{ SCMP_SYS(rt_sigreturn), "SIGBUS in a guarded copy" },
	{ SCMP_SYS(restart_syscall), "after SIGSTOP and SIGCONT" },
	{ SCMP_SYS(exit), "the end" },
	{ SCMP_SYS(exit_group), "the end" },
};

static int allow_ioctls(scmp_filter_ctx f)
{
	static const struct {
		unsigned long request;
		const char *reason;
	} requests[] = {
		{ BLKGETSIZE64, "size of a block device" },
		{ BLKSSZGET, "its block size" },
		{ TUNSETQUEUE, "our queue of a tap, while the driver is up" },
		{ TUNSETOFFLOAD, "what the driver can take" },
		{ TUNSETVNETHDRSZ, "virtio 1.x has a longer header" },
	};
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_EQ, requests[i].request));
		if (rc)
			return rc;
	}
	/* The module's: which ones an endpoint takes is the module's business. */
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, _IOC_TYPEMASK << _IOC_TYPESHIFT,
					(unsigned long)ULTRAVISOR_IOC << _IOC_TYPESHIFT));
}

static int add_rules(scmp_filter_ctx f)
{
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, plain[i].call, 0);
		if (rc)
			return rc;
	}
	/* Only unix sockets: to uvd, the journal, the service manager. */
	rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			      SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	/* No file at all. sd-event asks for the boot id, to spread timers, and can do without. */
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
	/* The pool's memory as it is needed; the ring takes nothing else either. */
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(io_uring_register), 1,
				      SCMP_A1(SCMP_CMP_EQ, IORING_REGISTER_BUFFERS_UPDATE));
	/* Mappings of channels and malloc; nothing that could be executed. */
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return rc ? rc : allow_ioctls(f);
}

int sandbox_close(void)
{
	struct sigaction action = { .sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx f;
	int rc;

	if (sigaction(SIGSYS, &action, NULL) < 0)
		return -errno;
	f = seccomp_init(SCMP_ACT_TRAP);
	if (!f)
		return -ENOMEM;
	rc = add_rules(f);
	if (!rc)
		rc = seccomp_load(f);
	seccomp_release(f);
	return rc;
}
