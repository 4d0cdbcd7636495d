/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uvd stays root, because /dev/ultravisor and the images are root's, with few capabilities and
 * system calls. Its children inherit both: what a starting uvmonitor needs is listed, too.
 */
#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>

#include <common/log.h>
#include <common/privileges.h>

#include "confine.h"

static const unsigned int kept[] = {
	CAP_DAC_OVERRIDE,	/* images and kernels of other users */
	CAP_NET_ADMIN,		/* bridges and taps */
	CAP_KILL,		/* monitors run as another user */
	CAP_SETUID,		/* uvmonitor, started as root, becomes that user … */
	CAP_SETGID,
	CAP_SETPCAP,		/* … and empties its bounding set */
};

static const int allowed[] = {
	/* The event loop: sd-event, its timers, signals and eventfds. */
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(eventfd2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(signalfd4),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	/* Files: the database, /proc, /sys, cgroups, console logs, images. */
	SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(write),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(fstatfs), SCMP_SYS(statfs), SCMP_SYS(getdents64), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(fcntl), SCMP_SYS(flock), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(chmod), SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat), SCMP_SYS(fchown), SCMP_SYS(umask), SCMP_SYS(utimensat),
	/* The module, taps and rtnetlink; uvmonitor's use of the module. */
	SCMP_SYS(ioctl),
	/* uvd.sock, the journal, readiness, netlink, systemd's bus, the name service. */
	SCMP_SYS(socket), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept4), SCMP_SYS(connect),
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(shutdown), SCMP_SYS(uname),
	/* libnftables waits for the kernel's answers. */
	SCMP_SYS(select), SCMP_SYS(pselect6),
	/* Memory: ours, channels', guests' (sealed, and bound to their node). */
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
	SCMP_SYS(brk), SCMP_SYS(memfd_create), SCMP_SYS(mbind),
	/* The packet ring's sleep and wake. */
	SCMP_SYS(membarrier), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	/* SIGBUS in revoked channel memory; abort. */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(tgkill), SCMP_SYS(gettid), SCMP_SYS(getpid),
	SCMP_SYS(getppid), SCMP_SYS(futex), SCMP_SYS(restart_syscall), SCMP_SYS(getrandom),
	/* Guests' processes: made, watched, ended. */
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(execve),
	SCMP_SYS(pipe2), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(waitid),
	SCMP_SYS(wait4), SCMP_SYS(setsid), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* A program's start: its loader and its C library. */
	SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(prlimit64), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(sysinfo),
	/* uvmonitor gives up the rest: user, capabilities, its own filter, stray descriptors. */
	SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capget),
	SCMP_SYS(capset), SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(close_range),
};

/* What is not allowed fails with EPERM, in the audit log: a guest must not suffer by it. */
static int filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	unsigned int i;
	int rc;

	if (!ctx)
		return -ENOMEM;
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
	for (i = 0; rc == 0 && i < sizeof(allowed) / sizeof(*allowed); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int confine(void)
{
	int rc = privileges_keep(kept, sizeof(kept) / sizeof(*kept));

	if (rc < 0)
		return log_errno(LOG_ERR, rc, "capabilities cannot be given up");
	rc = filter();
	return rc < 0 ? log_errno(LOG_ERR, rc, "seccomp") : 0;
}
