/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attacker inside uvmonitor would try, first without the filter of system calls, where it
 * works, then under it, where it ends the process. Each in a process of its own.
 */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ultravisor.h>

#include <monitor/confine.h>
#include <ultravisor/monitor.h>

#define WORKED 42	/* the attempt's system call was made, whatever it said */

static char error[256];

/* Raw, because the sanitizer's own wrappers make other calls besides. */
static void open_a_file(void)
{
	syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void open_a_socket(void)
{
	syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static void make_a_process(void)
{
	if (syscall(SYS_fork) == 0)
		_exit(0);
}

static void start_a_program(void)
{
	syscall(SYS_execve, "/nonexistent", NULL, NULL);
}

static void map_code(void)
{
	syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
}

static void make_data_code(void)
{
	syscall(SYS_mprotect, (uintptr_t)error & ~4095UL, 4096, PROT_READ | PROT_WRITE);
}

static void map_a_descriptor(void)
{
	syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, 0, 0);
}

static void trace_somebody(void)
{
	syscall(SYS_ptrace, 9999, getpid(), 0, 0);
}

static void make_a_vm(void)
{
	syscall(SYS_ioctl, 0, KVM_CREATE_VM, 0);
}

static void type_into_a_terminal(void)
{
	syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x");
}

static void create_a_partition(void)
{
	syscall(SYS_ioctl, 0, ULTRAVISOR_PARTITION_CREATE, 0);
}

static void change_the_limits(void)
{
	syscall(SYS_prlimit64, 0, 0, 0, 0);
}

/* Of the same number in the low 32 bits, which is all that the kernel looks at. */
static void make_a_vm_with_high_bits(void)
{
	syscall(SYS_ioctl, 0, 0xffffffff00000000UL | KVM_CREATE_VM, 0);
}

static void (*const attempts[])(void) = {
	open_a_file, open_a_socket, make_a_process, start_a_program, map_code, make_data_code,
	map_a_descriptor, trace_somebody, make_a_vm, type_into_a_terminal, create_a_partition,
	change_the_limits, make_a_vm_with_high_bits,
};

/* What confine_identity does for it; the rest of that needs the monitors' user. */
static void filter(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    confine_system_calls(error, sizeof(error)))
		_exit(99);
}

static int outcome(void (*attempt)(void), bool filtered)
{
	int r;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(10);
		if (filtered)
			filter();
		attempt();
		syscall(SYS_exit_group, WORKED);
	}
	assert_int_equal(waitpid(pid, &r, 0), pid);
	/* The sanitizer's _exit makes a forbidden call itself, in the handler: that kills. */
	if (WIFSIGNALED(r) && WTERMSIG(r) == SIGSYS)
		return MONITOR_EXIT_FAILED;
	return WIFEXITED(r) ? WEXITSTATUS(r) : -WTERMSIG(r);
}

static void an_attack_works_without_the_filter_and_not_under_it(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		assert_int_equal(outcome(attempts[i], false), WORKED);
		assert_int_equal(outcome(attempts[i], true), MONITOR_EXIT_FAILED);
	}
}

static pthread_barrier_t barrier;

static void *older_thread(void *attempt)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	((void (*)(void))attempt)();
	syscall(SYS_exit_group, WORKED);
	return NULL;
}

/* The vCPUs' threads exist before the filter does. */
static void from_an_older_thread(void)
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, older_thread, (void *)open_a_file))
		_exit(98);
	pthread_barrier_wait(&barrier);
	filter();
	pthread_barrier_wait(&barrier);
	for (;;)
		syscall(SYS_getpid);
}

static void the_filter_holds_for_threads_that_were_there_before(void **state)
{
	(void)state;
	assert_int_equal(outcome(from_an_older_thread, false), MONITOR_EXIT_FAILED);
}

static void what_a_monitor_needs_is_allowed(void)
{
	void *p;

	/* Results do not matter, being let through does. */
	syscall(SYS_ioctl, 0, ULTRAVISOR_CONTEXT_RUN, 0);
	syscall(SYS_ioctl, 0, ULTRAVISOR_CONTEXT_KVM, 0);
	syscall(SYS_ioctl, 0, ULTRAVISOR_VM_KVM, 0);
	syscall(SYS_ioctl, 0, ULTRAVISOR_DOORBELL_RING, 0);
	syscall(SYS_eventfd2, 0, 0);
	syscall(SYS_pread64, 0, error, 1, 0);
	p = (void *)syscall(SYS_mmap, 0, 1 << 20, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	syscall(SYS_munmap, p, 1 << 20);
}

static void the_monitor_itself_is_not_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(outcome(what_a_monitor_needs_is_allowed, true), WORKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attack_works_without_the_filter_and_not_under_it),
		cmocka_unit_test(the_filter_holds_for_threads_that_were_there_before),
		cmocka_unit_test(the_monitor_itself_is_not_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
