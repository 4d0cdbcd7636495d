/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attacker inside iopartd would try, first without the protection, where it works, then
 * under it, where it ends the process or is refused. Each in a process of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/kvm.h>

#include <iopartd/pool.h>
#include <iopartd/sandbox.h>
#include <iopartd/uring.h>

#define WORKED 42	/* the attempt's system call was made, whatever it said */
#define STOPPED 43

static char byte;

/* Raw, because the sanitizer's own wrappers make other calls besides. */
static void start_a_program(void)
{
	syscall(SYS_execve, "/nonexistent", NULL, NULL);
}

static void make_a_process(void)
{
	if (syscall(SYS_fork) == 0)
		_exit(0);
}

static void open_a_network_socket(void)
{
	syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static void trace_somebody(void)
{
	syscall(SYS_ptrace, 9999, getpid(), 0, 0);
}

static void read_somebodys_memory(void)
{
	syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static void map_code(void)
{
	syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void make_data_code(void)
{
	syscall(SYS_mprotect, (uintptr_t)&byte & ~4095UL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void make_a_vm(void)
{
	syscall(SYS_ioctl, 0, KVM_CREATE_VM, 0);
}

static void make_another_ring(void)
{
	syscall(SYS_io_uring_setup, 0, NULL);
}

static void (*const attempts[])(void) = {
	start_a_program, make_a_process, open_a_network_socket, trace_somebody,
	read_somebodys_memory, map_code, make_data_code, make_a_vm, make_another_ring,
};

static int outcome(void (*attempt)(void), bool filtered)
{
	int r;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		if (filtered && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sandbox_close()))
			_exit(99);
		attempt();
		syscall(SYS_exit_group, WORKED);
	}
	assert_int_equal(waitpid(pid, &r, 0), pid);
	/* The handler names the call and exits; the sanitizer's exit makes a forbidden one. */
	if ((WIFSIGNALED(r) && WTERMSIG(r) == SIGSYS) || (WIFEXITED(r) && WEXITSTATUS(r) == 98))
		return STOPPED;
	return WIFEXITED(r) ? WEXITSTATUS(r) : -WTERMSIG(r);
}

static void an_attack_works_without_the_filter_and_not_under_it(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		assert_int_equal(outcome(attempts[i], false), WORKED);
		assert_int_equal(outcome(attempts[i], true), STOPPED);
	}
}

/* A file, by the ring: what the filter, which sees no file names, could not prevent. */
static int open_by_ring(struct io_uring *ring)
{
	struct io_uring_sqe *s = io_uring_get_sqe(ring);
	struct io_uring_cqe *c;
	int r;

	assert_non_null(s);
	io_uring_prep_openat(s, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	assert_int_equal(io_uring_submit(ring), 1);
	assert_int_equal(io_uring_wait_cqe(ring, &c), 0);
	r = c->res;
	io_uring_cqe_seen(ring, c);
	if (r >= 0)
		close(r);
	return r;
}

static void a_ring_opens_files_unless_it_is_restricted(void **state)
{
	struct io_uring open_ring;
	struct uring u;
	struct pool p;

	(void)state;
	assert_int_equal(io_uring_queue_init(4, &open_ring, 0), 0);
	assert_true(open_by_ring(&open_ring) >= 0);
	io_uring_queue_exit(&open_ring);

	assert_int_equal(pool_init(&p, 8u << 20), 0);
	assert_int_equal(uring_init(&u, &p), 0);
	assert_int_equal(open_by_ring(&u.ring), -EACCES);
	/* Nor can the restriction be taken off. */
	assert_int_equal(io_uring_register_eventfd(&u.ring, 0), -EACCES);
	assert_int_equal(io_uring_register_files(&u.ring, &(int){ 0 }, 1), -EACCES);
	uring_uninit(&u);
	pool_uninit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attack_works_without_the_filter_and_not_under_it),
		cmocka_unit_test(a_ring_opens_files_unless_it_is_restricted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
