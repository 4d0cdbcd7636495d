/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts one uvmonitor with what uvd would give it, and serves its channels in a few lines each.
 *
 *   launch [--vcpus N] [--memory MIB] [--high MIB] [--initrd FILE] [--disk] [--stdout]
 *          [--say TEXT=ANSWER] [--press TEXT] [--kill TEXT] [--timeout S] [--hung COMMAND]
 *          KERNEL CMDLINE
 *
 * The guest's console goes to standard output. When it has said TEXT, ANSWER (and Enter) is typed,
 * the power button pressed (again and again: a guest may not listen yet), or uvmonitor killed.
 * After S seconds what the module counts is printed, COMMAND runs with uvmonitor's process id as
 * its argument, and the guest has 20 s more before it is killed. At the end, one line on standard
 * error:
 *
 *   launch: exit=0 state=3 reboots=0 presses=1 kicks=0 requests=0 start_us=52000 exits=9 reason=
 *
 * start_us: from fork to the guest's first instruction. exits: those that left KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ultravisor.h>
#include <libchannel/channel.h>
#include <ultravisor/io.h>
#include <ultravisor/monitor.h>

#include "common.h"

#define MIB (1ULL << 20)

static int device;
static uint64_t partition;
static const uint8_t server_uuid[ULTRAVISOR_UUID_LEN] = { 1 };

static struct {
	unsigned int vcpus, memory, high, timeout;
	const char *kernel, *cmdline, *initrd, *say, *answer, *press, *kill, *hung;
	bool disk, to_stdout;
} option = { .vcpus = 1, .memory = 256, .timeout = 60 };

static struct channel *monitor_channel, *console;
static struct disk disk;
static uint64_t console_tx, console_rx;
static char said[1 << 20];
static size_t said_length;
static bool pressing;
static uint64_t forked_us, start_us;
static int partition_fd;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void control(int fd, unsigned long cmd, void *arg, const char *what)
{
	if (ioctl(fd, cmd, arg) < 0)
		die(what);
}

static int open_object(uint64_t id, uint32_t role)
{
	struct ultravisor_object_open o = { .size = sizeof(o), .id = id, .role = role };

	control(device, ULTRAVISOR_OBJECT_OPEN, &o, "OBJECT_OPEN");
	return o.out_fd;
}

static void publish(uint64_t id)
{
	struct ultravisor_object o = { .size = sizeof(o), .id = id };

	control(device, ULTRAVISOR_OBJECT_PUBLISH, &o, "OBJECT_PUBLISH");
}

/* A channel of the guest that this process serves; *client is for the monitor to inherit. */
static int make_channel(uint32_t type, uint64_t client_size, uint64_t server_size,
			uint64_t private_size, uint32_t doorbells, uint32_t flags, int *client)
{
	struct ultravisor_channel_create c = {
		.size = sizeof(c), .flags = flags, .type = type, .layout_version = 1,
		.client_id = partition, .client_size = client_size, .server_size = server_size,
		.private_size = private_size, .doorbells = doorbells, .uuid = { 7, type },
	};
	struct ultravisor_server_set s = { .size = sizeof(s) };

	control(device, ULTRAVISOR_CHANNEL_CREATE, &c, "CHANNEL_CREATE");
	publish(c.out_id);
	memcpy(s.uuid, server_uuid, sizeof(s.uuid));
	control(c.out_fd, ULTRAVISOR_SERVER_SET, &s, "SERVER_SET");
	*client = open_object(c.out_id, ULTRAVISOR_ROLE_CLIENT);
	return open_object(c.out_id, ULTRAVISOR_ROLE_SERVER);
}

static void add_memory(int control_fd, uint64_t gpa, uint64_t length, char *argument, size_t size)
{
	struct ultravisor_memory_add m = { .size = sizeof(m), .gpa = gpa, .length = length };

	m.fd = memfd_create("guest", MFD_ALLOW_SEALING);
	if (m.fd < 0 || ftruncate(m.fd, length) < 0 ||
	    fcntl(m.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		die("memfd");
	control(control_fd, ULTRAVISOR_MEMORY_ADD, &m, "MEMORY_ADD");
	snprintf(argument, size, "%d:%llu:%llu", m.fd, (unsigned long long)gpa,
		 (unsigned long long)length);
}

static void make_contexts(int control_fd)
{
	unsigned int i;

	for (i = 0; i < option.vcpus; i++) {
		struct ultravisor_context_set c = {
			.size = sizeof(c), .index = i, .mode = ULTRAVISOR_CONTEXT_SHARED,
		};

		for (long cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1; cpu >= 0; cpu--)
			c.cpus[cpu / 64] |= 1ULL << cpu % 64;
		control(control_fd, ULTRAVISOR_CONTEXT_CREATE, &c, "CONTEXT_CREATE");
	}
}

static void open_or_die(struct channel **out, int fd, const char *what)
{
	static const struct channel_geometry any;
	int rc = channel_open(out, fd, &any);

	if (rc) {
		errno = -rc;
		die(what);
	}
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	return fd;
}

static pid_t start_monitor(void)
{
	struct ultravisor_partition_create p = {
		.size = sizeof(p), .uuid = { 42 }, .name = "launched",
	};
	char *argv[48] = { "uvmonitor", "--name", "launched", "--uuid",
			   "2a000000-0000-0000-0000-000000000000" };
	static char text[16][64];
	int n = 5, t = 0, monitor, console_client = -1, disk_client = -1, channel;
	pid_t pid;

	control(device, ULTRAVISOR_PARTITION_CREATE, &p, "PARTITION_CREATE");
	partition = p.out_id;
	argv[n++] = "--memory";
	add_memory(p.out_fd, 0, option.memory * MIB, text[t], sizeof(text[t]));
	argv[n++] = text[t++];
	if (option.high) {
		argv[n++] = "--memory";
		add_memory(p.out_fd, MONITOR_HIGH_BASE, option.high * MIB, text[t],
			   sizeof(text[t]));
		argv[n++] = text[t++];
	}
	make_contexts(p.out_fd);
	publish(partition);
	monitor = open_object(partition, ULTRAVISOR_ROLE_MONITOR);
	open_or_die(&monitor_channel,
		    make_channel(CHANNEL_MONITOR, MONITOR_CLIENT_SIZE, MONITOR_SERVER_SIZE, 0,
				 MONITOR_DOORBELLS, 0, &channel), "monitor channel");
	if (!option.to_stdout)
		open_or_die(&console,
			    make_channel(CHANNEL_CONSOLE, IO_CONSOLE_CLIENT_SIZE,
					 IO_CONSOLE_SERVER_SIZE, IO_CONSOLE_PRIVATE_SIZE, 1, 0,
					 &console_client),
			    "console channel");
	if (option.disk &&
	    disk_open(&disk,
		      make_channel(CHANNEL_BLOCK, IO_CLIENT_SIZE, IO_SERVER_SIZE, IO_PRIVATE_SIZE,
				   IO_DOORBELLS, ULTRAVISOR_CHANNEL_GRANT, &disk_client)))
		die("disk");

#define NUMBER(name, value) do { \
	argv[n++] = (name); \
	snprintf(text[t], sizeof(text[t]), "%d", (value)); \
	argv[n++] = text[t++]; \
} while (0)
	NUMBER("--partition", monitor);
	NUMBER("--channel", channel);
	NUMBER("--vcpus", option.vcpus);
	NUMBER("--kernel", open_file(option.kernel));
	if (option.initrd)
		NUMBER("--initrd", open_file(option.initrd));
	if (option.to_stdout) {
		argv[n++] = "--console";
		argv[n++] = "stdout";
	} else {
		NUMBER("--console", console_client);
	}
	if (option.disk) {
		argv[n++] = "--device";
		snprintf(text[t], sizeof(text[t]), "block:disk:%d", disk_client);
		argv[n++] = text[t++];
	}
	argv[n++] = "--cmdline";
	argv[n++] = (char *)option.cmdline;

	partition_fd = p.out_fd;
	forked_us = now_us();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		int i;

		/* What the module hands out is close-on-exec. uvd names what is to be inherited. */
		for (i = 3; i < 256; i++)
			fcntl(i, F_SETFD, 0);
		execvp("uvmonitor", argv);
		die("uvmonitor");
	}
	return pid;
}

static void type_text(const char *text)
{
	struct io_console_server *s = channel_own(console);

	for (; *text; text++)
		s->rx[console_rx++ % IO_CONSOLE_RX_SIZE] = *text;
	s->rx[console_rx++ % IO_CONSOLE_RX_SIZE] = '\r';
	atomic_store(&s->rx_head, console_rx);
	channel_ring(console, 0);
}

static bool heard(const char **text)
{
	if (!*text || !strstr(said, *text))
		return false;
	*text = NULL;
	return true;
}

static void on_console(pid_t monitor)
{
	const struct io_console_client *c = channel_peer(console);
	struct io_console_server *s = channel_own(console);

	while (console_tx != atomic_load(&c->tx_head)) {
		char byte = c->tx[console_tx++ % IO_CONSOLE_TX_SIZE];

		putchar(byte);
		if (said_length < sizeof(said) - 1)
			said[said_length++] = byte;
		atomic_store(&s->tx_tail, console_tx);
	}
	fflush(stdout);
	channel_ring(console, 0);
	if (heard(&option.say))
		type_text(option.answer);
	if (heard(&option.press))
		pressing = true;
	if (heard(&option.kill))
		kill(monitor, SIGKILL);
}

static bool rung(int fd)
{
	uint64_t n;

	return fd >= 0 && read(fd, &n, sizeof(n)) == sizeof(n);
}

static int pidfd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

static void print_contexts(void)
{
	unsigned int i, k;

	for (i = 0; i < option.vcpus; i++) {
		struct ultravisor_context_info c = { .size = sizeof(c), .index = i };

		if (ioctl(partition_fd, ULTRAVISOR_CONTEXT_INFO, &c) < 0)
			continue;
		fprintf(stderr, "launch: vCPU %u: ran %llu ms, forced %llu, exits", i,
			(unsigned long long)c.out_run_ns / 1000000,
			(unsigned long long)c.out_forced);
		for (k = 0; k < ULTRAVISOR_EXIT_NR; k++)
			fprintf(stderr, " %llu", (unsigned long long)c.out_exits[k]);
		fprintf(stderr, "\n");
	}
}

static void on_time_out(pid_t monitor)
{
	char command[512];

	fprintf(stderr, "launch: no end within %u s\n", option.timeout);
	print_contexts();
	if (!option.hung)
		return;
	snprintf(command, sizeof(command), "%s %d >&2", option.hung, (int)monitor);
	if (system(command))
		fprintf(stderr, "launch: %s has failed\n", command);
	print_contexts();
}

static void serve(pid_t pid)
{
	int child = pidfd(pid);
	int line = console ? channel_doorbell_fd(console, 0) : -1;
	int state = option.disk ? channel_doorbell_fd(disk.channel, IO_DOORBELL_STATE) : -1;
	int queue = option.disk ? channel_doorbell_fd(disk.channel, IO_DOORBELL_QUEUE(0)) : -1;
	uint64_t next_press = 0, end = now_us() + option.timeout * 1000000ULL;
	bool over = false, late = false;

	while (!over) {
		struct pollfd p[] = {
			{child, POLLIN, 0},
			{line, POLLIN, 0},
			{state, POLLIN, 0},
			{queue, POLLIN, 0},
			{channel_doorbell_fd(monitor_channel, MONITOR_DOORBELL_STATUS), POLLIN, 0},
		};

		poll(p, 5, 500);
		if (rung(p[4].fd) && !start_us &&
		    ((const struct monitor_status *)channel_peer(monitor_channel))->state ==
		    MONITOR_RUNNING)
			start_us = now_us() - forked_us;
		if (pressing && now_us() >= next_press) {
			channel_ring(monitor_channel, MONITOR_DOORBELL_POWER);
			next_press = now_us() + 2000000;
		}
		over = p[0].revents;
		if (rung(line) || over)
			if (console)
				on_console(pid);
		if (rung(state))
			disk_state(&disk);
		if (rung(queue))
			disk_kick(&disk);
		if (!over && now_us() >= end) {
			if (!late)
				on_time_out(pid);
			if (late || !option.hung)
				kill(pid, SIGKILL);
			late = true;
			end = now_us() + 20000000;
		}
	}
}

static char *split(char *text)
{
	char *mark = strchr(text, '=');

	if (!mark)
		die("--say TEXT=ANSWER");
	*mark = '\0';
	return mark + 1;
}

static void parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "vcpus", 1, NULL, 'v' }, { "memory", 1, NULL, 'm' }, { "high", 1, NULL, 'h' },
		{ "initrd", 1, NULL, 'i' }, { "disk", 0, NULL, 'd' }, { "stdout", 0, NULL, 'o' },
		{ "say", 1, NULL, 's' }, { "press", 1, NULL, 'p' }, { "kill", 1, NULL, 'k' },
		{ "timeout", 1, NULL, 't' }, { "hung", 1, NULL, 'H' }, { 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'v': option.vcpus = atoi(optarg); break;
		case 'm': option.memory = atoi(optarg); break;
		case 'h': option.high = atoi(optarg); break;
		case 'i': option.initrd = optarg; break;
		case 'd': option.disk = true; break;
		case 'o': option.to_stdout = true; break;
		case 's': option.say = optarg; option.answer = split(optarg); break;
		case 'p': option.press = optarg; break;
		case 'k': option.kill = optarg; break;
		case 't': option.timeout = atoi(optarg); break;
		case 'H': option.hung = optarg; break;
		default: exit(2);
		}
	}
	if (argc - optind != 2) {
		errno = EINVAL;
		die("KERNEL CMDLINE");
	}
	option.kernel = argv[optind];
	option.cmdline = argv[optind + 1];
}

int main(int argc, char **argv)
{
	struct ultravisor_object object = { .size = sizeof(object) };
	struct ultravisor_partition_info info = { .size = sizeof(info) };
	const struct monitor_status *status;
	int r, code;
	pid_t pid;

	parse(argc, argv);
	device = open("/dev/ultravisor", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/ultravisor");
	pid = start_monitor();
	serve(pid);
	if (waitpid(pid, &r, 0) != pid)
		die("waitpid");
	code = WIFEXITED(r) ? WEXITSTATUS(r) : 128 + WTERMSIG(r);
	status = channel_peer(monitor_channel);
	ioctl(partition_fd, ULTRAVISOR_PARTITION_INFO, &info);
	fprintf(stderr, "launch: exit=%d state=%u reboots=%u presses=%llu kicks=%llu requests=%llu "
		"start_us=%llu exits=%llu reason=%.*s\n",
		code, status->state, status->reboots, (unsigned long long)status->power_presses,
		(unsigned long long)disk.kicks, (unsigned long long)disk.requests,
		(unsigned long long)start_us, (unsigned long long)info.out_exits,
		MONITOR_REASON_LEN, status->reason);
	object.id = partition;
	ioctl(device, ULTRAVISOR_OBJECT_DESTROY, &object);
	return code;
}
