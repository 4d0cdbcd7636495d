/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An I/O partition that has gone over to the enemy. Installed in iopartd's place, it becomes the
 * instance's user as iopartd does (with a file /run/intruder/root it stays root), takes every
 * endpoint that uvd hands to it, attaches, and then tries by each way there is to reach guests:
 * every area of every channel, /dev/ultravisor, ids guessed through an endpoint, other processes'
 * memory and descriptors. Once a second it writes one line to /run/intruder/INSTANCE:
 *
 *   endpoints N areas N memory N serving N device N guessed N processes N
 *
 * areas: channel areas but headers from which it read a byte. memory: blocks of guest memory
 * likewise. serving: endpoints that the module says it serves. The last three: successes of the
 * other ways.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <common/privileges.h>
#include <linux/ultravisor.h>
#include <ultravisor/handover.h>

#define MAX_ENDPOINTS 64

static int endpoints[MAX_ENDPOINTS];
static unsigned int endpoint_count;
static sigjmp_buf caught;

static void on_fault(int number)
{
	(void)number;
	siglongjmp(caught, 1);
}

static int reads_a_byte(int fd, unsigned long long area)
{
	volatile unsigned char *p;
	int reached = 0;

	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, ULTRAVISOR_AREA_OFFSET(area));
	if (p == MAP_FAILED)
		return 0;
	if (!sigsetjmp(caught, 1)) {
		(void)*p;
		reached = 1;
	}
	munmap((void *)p, 4096);
	return reached;
}

static int serves(int fd)
{
	struct ultravisor_endpoint_info info = { .size = sizeof(info) };

	return ioctl(fd, ULTRAVISOR_ENDPOINT_INFO, &info) == 0 && info.out_serving;
}

/* Control calls on an endpoint, with ids as uvd would give: 1, 2, 3 … */
static int guess_ids(int fd)
{
	struct ultravisor_object_open open = { .size = sizeof(open) };
	struct ultravisor_object object = { .size = sizeof(object) };
	struct ultravisor_channel_promote promote = { .size = sizeof(promote) };
	struct ultravisor_partition_run run = { .size = sizeof(run) };
	int worked = 0;

	for (open.id = 1; open.id < 64; open.id++) {
		for (open.role = 1; open.role <= 4; open.role++)
			worked += ioctl(fd, ULTRAVISOR_OBJECT_OPEN, &open) == 0;
		object.id = open.id;
		worked += ioctl(fd, ULTRAVISOR_OBJECT_PUBLISH, &object) == 0;
		worked += ioctl(fd, ULTRAVISOR_OBJECT_DESTROY, &object) == 0;
	}
	worked += ioctl(fd, ULTRAVISOR_CHANNEL_PROMOTE, &promote) == 0;
	worked += ioctl(fd, ULTRAVISOR_PARTITION_STOP, &run) == 0;
	return worked;
}

static int attack_process(pid_t pid)
{
	struct iovec local, remote;
	char path[64], byte;
	int worked = 0, fd, target;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		worked++;
		close(fd);
	}
	local = (struct iovec) { &byte, 1 };
	remote = (struct iovec) { (void *)0x400000, 1 };
	worked += process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1;
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
		worked++;
		ptrace(PTRACE_DETACH, pid, 0, 0);
	}
	fd = syscall(SYS_pidfd_open, pid, 0);
	for (target = 0; fd >= 0 && target < 32; target++) {
		int stolen = syscall(SYS_pidfd_getfd, fd, target, 0);

		worked += stolen >= 0;
		if (stolen >= 0)
			close(stolen);
	}
	if (fd >= 0)
		close(fd);
	return worked;
}

static int attack_processes(void)
{
	struct dirent *entry;
	char path[300], name[64];
	int worked = 0;
	FILE *comm;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		comm = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!comm)
			continue;
		if (fgets(name, sizeof(name), comm) && atoi(entry->d_name) != getpid() &&
		    (strstr(name, "uvmonitor") || strstr(name, "iopartd") || strstr(name, "uvd") ||
		     strstr(name, "cmdpartd")))
			worked += attack_process(atoi(entry->d_name));
		fclose(comm);
	}
	if (proc)
		closedir(proc);
	return worked;
}

static int connect_uvd(void)
{
	struct handover_message hello = { .version = HANDOVER_VERSION, .what = HANDOVER_HELLO };
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = HANDOVER_PATH };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, &hello, sizeof(hello), 0) != sizeof(hello))
		return -1;
	return fd;
}

static void take_endpoints(int uvd)
{
	struct ultravisor_attach attach = { .size = sizeof(attach) };
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct handover_message m;
	struct iovec iov = { &m, sizeof(m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	for (;;) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		if (recvmsg(uvd, &msg, 0) != sizeof(m))
			return;
		c = CMSG_FIRSTHDR(&msg);
		if (m.what != HANDOVER_ENDPOINT || !c || endpoint_count == MAX_ENDPOINTS)
			continue;
		memcpy(&endpoints[endpoint_count], CMSG_DATA(c), sizeof(int));
		ioctl(endpoints[endpoint_count], ULTRAVISOR_ATTACH, &attach);
		endpoint_count++;
	}
}

static void report(const char *instance)
{
	unsigned int i, n, areas = 0, memory = 0, serving = 0;
	int device, guessed = 0;
	char path[64], temporary[80];
	FILE *f;

	for (i = 0; i < endpoint_count; i++) {
		areas += reads_a_byte(endpoints[i], ULTRAVISOR_AREA_CLIENT) +
			 reads_a_byte(endpoints[i], ULTRAVISOR_AREA_SERVER) +
			 reads_a_byte(endpoints[i], ULTRAVISOR_AREA_PRIVATE);
		for (n = 0; n < ULTRAVISOR_MAX_BLOCKS; n++)
			memory += reads_a_byte(endpoints[i], ULTRAVISOR_AREA_MEMORY(n));
		serving += serves(endpoints[i]);
		guessed += guess_ids(endpoints[i]);
	}
	device = open("/dev/ultravisor", O_RDWR);
	if (device >= 0)
		close(device);
	snprintf(path, sizeof(path), "/run/intruder/%s", instance);
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	f = fopen(temporary, "w");
	if (!f)
		return;
	fprintf(f, "endpoints %u areas %u memory %u serving %u device %d guessed %d processes %d\n",
		endpoint_count, areas, memory, serving, device >= 0, guessed, attack_processes());
	fclose(f);
	rename(temporary, path);
}

static void become(const char *instance)
{
	char user[64];
	struct passwd *pw;

	snprintf(user, sizeof(user), USER_IO_PREFIX "%s", instance);
	pw = getpwnam(user);
	if (!pw || privileges_become(pw->pw_uid, pw->pw_gid, NULL, 0) < 0)
		exit(1);
}

int main(int argc, char **argv)
{
	int uvd = -1;

	if (argc != 3)
		return 2;
	if (access("/run/intruder/root", F_OK) < 0)
		become(argv[2]);
	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	for (;;) {
		if (uvd < 0)
			uvd = connect_uvd();
		if (uvd >= 0)
			take_endpoints(uvd);
		report(argv[2]);
		sleep(1);
	}
}
