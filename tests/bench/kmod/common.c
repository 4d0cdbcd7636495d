// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

void bench_open(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open("/dev/ultravisor", O_RDWR | O_CLOEXEC);
	if (device < 0)
		fail("/dev/ultravisor: %s; run this by scripts/bench", strerror(errno));
}

void plain_init(struct plain *plain, const void *code, size_t size)
{
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_SIZE };
	struct kvm_regs regs = { .rip = GUEST_START, .rsp = 0x8000, .rflags = 2 };
	struct kvm_sregs sregs;
	long run_size;
	int kvm;

	kvm = ok(open("/dev/kvm", O_RDWR | O_CLOEXEC));
	plain->vm = ok(ioctl(kvm, KVM_CREATE_VM, 0));
	plain->memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(plain->memory != MAP_FAILED);
	memcpy(plain->memory + GUEST_START, code, size);
	region.userspace_addr = (uintptr_t)plain->memory;
	ok(ioctl(plain->vm, KVM_SET_USER_MEMORY_REGION, &region));
	plain->vcpu = ok(ioctl(plain->vm, KVM_CREATE_VCPU, 0));
	run_size = ok(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	plain->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, plain->vcpu, 0);
	check(plain->run != MAP_FAILED);
	ok(ioctl(plain->vcpu, KVM_GET_SREGS, &sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	ok(ioctl(plain->vcpu, KVM_SET_SREGS, &sregs));
	ok(ioctl(plain->vcpu, KVM_SET_REGS, &regs));
	close(kvm);
}

/* ---- guests that spin ---- */

static void *spin(void *arg)
{
	struct spinner *s = arg;

	s->tid = syscall(SYS_gettid);
	if (s->guest) {
		long r = context_run(s->guest->context);

		/* Its partition may be destroyed at the end of a measurement. */
		if (r && errno == ESHUTDOWN)
			return NULL;
		fail("the guest came back: %s, exit %u", r ? strerror(errno) : "no error",
		     s->guest->run->exit_reason);
	}
	ok(ioctl(s->plain->vcpu, KVM_RUN, 0));
	fail("the guest came back: exit %u", s->plain->run->exit_reason);
}

static void start(struct spinner *s)
{
	check(!pthread_create(&s->thread, NULL, spin, s));
	while (!s->tid)
		sleep_ms(1);
}

void spin_guest(struct spinner *spinner, struct guest *guest)
{
	*spinner = (struct spinner){ .guest = guest };
	start(spinner);
}

void spin_plain(struct spinner *spinner, struct plain *plain)
{
	*spinner = (struct spinner){ .plain = plain };
	start(spinner);
}

long guest_msrs(void *guest, struct kvm_msrs *msrs)
{
	return context_kvm(((struct guest *)guest)->context, KVM_GET_MSRS, (unsigned long)msrs);
}

long plain_msrs(void *plain, struct kvm_msrs *msrs)
{
	return ioctl(((struct plain *)plain)->vcpu, KVM_GET_MSRS, msrs);
}

bool give_processor(uint32_t cpu, uint64_t frame_ns)
{
	struct ultravisor_processor_set set = {
		.size = sizeof(set), .flags = ULTRAVISOR_PROCESSOR_GIVEN, .cpu = cpu,
		.frame_ns = frame_ns,
	};

	return !ioctl(device, ULTRAVISOR_PROCESSOR_SET, &set);
}

bool define_with(struct guest *guest, const char *name, struct ultravisor_context_set *context)
{
	context->size = sizeof(*context);
	guest->partition = make_partition(name);
	guest->memfd = make_memfd(GUEST_SIZE);
	ok(memory_add(guest->partition.fd, 0, GUEST_SIZE, guest->memfd));
	if (ioctl(guest->partition.fd, ULTRAVISOR_CONTEXT_CREATE, context)) {
		check(errno == EOPNOTSUPP || errno == E2BIG);
		ok(object_destroy(guest->partition.id));
		return false;
	}
	guest->monitor = ok(object_open(guest->partition.id, ULTRAVISOR_ROLE_MONITOR, 0));
	return true;
}

/* ---- processes and time ---- */

static pid_t hog;

void bench_hog(void)
{
	hog = ok(fork());
	if (hog)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		__asm__ volatile("");
}

void bench_alone(void)
{
	if (!hog)
		return;
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	hog = 0;
}

void bench_apart(void (*f)(void *arg), void *arg)
{
	struct ultravisor_object_next next = { .size = sizeof(next) };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = ok(fork());
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		f(arg);
		fflush(NULL);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid);
	while (!ioctl(device, ULTRAVISOR_OBJECT_NEXT, &next)) {
		object_destroy(next.out_id);
		next.id = next.out_id;
	}
	if (status)
		fail("a measurement ended with status %#x", status);
}

void bench_urgent(void)
{
	const struct sched_param highest = { .sched_priority = 90 };

	check(!sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &highest));
}

void sleep_until(uint64_t ns)
{
	const struct timespec t = { ns / 1000000000, ns % 1000000000 };

	check(!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
}

/* ---- figures ---- */

void sample_add(struct sample *s, double value)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->value = realloc(s->value, s->room * sizeof(*s->value));
		check(s->value);
	}
	s->value[s->count++] = value;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double sample_rank(struct sample *s, double rank)
{
	double at = rank * (s->count - 1);
	size_t low = at;

	check(s->count);
	qsort(s->value, s->count, sizeof(*s->value), by_value);
	if (low + 1 >= s->count)
		return s->value[s->count - 1];
	return s->value[low] + (at - low) * (s->value[low + 1] - s->value[low]);
}

double sample_deviation(const struct sample *s)
{
	double mean = 0, squares = 0;

	for (size_t i = 0; i < s->count; i++)
		mean += s->value[i] / s->count;
	for (size_t i = 0; i < s->count; i++)
		squares += (s->value[i] - mean) * (s->value[i] - mean) / s->count;
	return sqrt(squares);
}

void report(const char *what, double value, const char *unit)
{
	printf("  %-58s %10.*f %s\n", what, value < 100 ? 1 : 0, value, unit);
}

void report_at_most(const char *what, double value, const char *unit, double bar)
{
	printf("  %-58s %10.*f %-4s aim: at most %g%s\n", what, value < 100 ? 1 : 0, value, unit,
	       bar, value <= bar ? "" : "   AIM MISSED");
}

void report_ratio(const char *what, double value, const char *unit, double peer, double bar)
{
	printf("  %-58s %10.*f %-4s ratio %.3f", what, value < 100 ? 1 : 0, value, unit,
	       value / peer);
	if (bar > 0)
		printf("  aim: at most %.2f%s", bar, value / peer <= bar ? "" : "   AIM MISSED");
	putchar('\n');
}

void report_absent(const char *what, const char *why)
{
	printf("  %-58s not measured: %s\n", what, why);
}
