/* SPDX-License-Identifier: Apache-2.0 */
/* User, capabilities and the list of allowed system calls, each with its reason. */
#include <errno.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <common/log.h>
#include <common/privileges.h>
#include <linux/ultravisor.h>
#include <ultravisor/monitor.h>

#include "confine.h"

#define USER "ultravisor-monitor"

/* Not getpwnam: it would load the name service's libraries into every monitor. */
static int find_user(uid_t *uid, gid_t *gid)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p;
	int rc = -ENOENT;

	if (!f)
		return -errno;
	while ((p = fgetpwent(f))) {
		if (strcmp(p->pw_name, USER))
			continue;
		*uid = p->pw_uid;
		*gid = p->pw_gid;
		rc = 0;
		break;
	}
	fclose(f);
	return rc;
}

int confine_identity(void)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int rc;

	if (geteuid() == 0) {
		rc = find_user(&uid, &gid);
		if (rc)
			return log_errno(LOG_ERR, rc, "user %s (systemd-sysusers makes it from "
					 "ultravisor.conf)", USER);
		rc = privileges_become(uid, gid, NULL, 0);
		if (rc)
			return log_errno(LOG_ERR, rc, "becoming user %s", USER);
	} else {
		rc = privileges_keep(NULL, 0);
		if (rc)
			return log_errno(LOG_ERR, rc, "dropping capabilities");
	}
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return log_errno(LOG_ERR, -errno, "forbidding core dumps");
	return 0;
}

static const int allowed[] = {
	/* The event loop, eventfds, timers, and the console without a channel. */
	SCMP_SYS(epoll_wait), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(timerfd_settime),
	/* Is an interrupt pending in an eventfd? */
	SCMP_SYS(poll),
	/* A queue's eventfds are made when a driver first uses it; closed if that fails. */
	SCMP_SYS(eventfd2), SCMP_SYS(close),
	/* Locks, parking, kicking vCPUs out of the guest; abort. */
	SCMP_SYS(futex), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
	/* Loading the kernel anew after a reset. */
	SCMP_SYS(pread64), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	/* Log lines to the journal. */
	SCMP_SYS(sendto),
	/* Clocks, where the vDSO cannot tell. */
	SCMP_SYS(clock_gettime), SCMP_SYS(time), SCMP_SYS(gettimeofday),
	/* malloc. */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(madvise),
	/* The end; a thread's or the process's. */
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
};

static const unsigned int allowed_ioctls[] = {
	ULTRAVISOR_CONTEXT_RUN,		/* run the guest */
	ULTRAVISOR_CONTEXT_KVM,		/* registers at a reset and in an error's text */
	ULTRAVISOR_VM_KVM,		/* interrupts, ioeventfds, irqfds, reset */
	ULTRAVISOR_DOORBELL_BIND,	/* a queue's eventfds */
	ULTRAVISOR_DOORBELL_RING,
	ULTRAVISOR_ENDPOINT_INFO,	/* does anybody serve? */
};

static void on_forbidden(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	log_error("system call %d is not allowed to a monitor; this is an error in uvmonitor, or "
		  "an attack",
		  info->si_syscall);
	_exit(MONITOR_EXIT_FAILED);
}

int confine_system_calls(char *error, unsigned int size)
{
	const struct sigaction action = { .sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	unsigned int i;
	int rc = filter ? 0 : -ENOMEM;

	if (!rc && sigaction(SIGSYS, &action, NULL) < 0)
		rc = -errno;
	/* One filter for all threads, those of the vCPUs included, which exist already. */
	if (!rc)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (i = 0; i < sizeof(allowed_ioctls) / sizeof(allowed_ioctls[0]) && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, allowed_ioctls[i]));
	/* malloc again; memory that can be executed stays what the program was linked with. */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				      SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
	if (!rc)
		rc = seccomp_load(filter);
	if (rc)
		snprintf(error, size, "filter of system calls: %s", strerror(-rc));
	seccomp_release(filter);
	return rc;
}
