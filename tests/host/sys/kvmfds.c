/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks through every process's descriptors, again and again until SIGTERM, for /dev/kvm and for
 * KVM's anonymous inodes (kvm-vm, kvm-vcpu). PID 1 is exempt: the test host's init keeps one spare
 * VM. So are kernel threads: the module makes VMs and vCPUs in one, whose table is out of every
 * process's reach. Prints what it saw; exit status 1 if that was anything.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_term(int number)
{
	(void)number;
	stop = 1;
}

static bool is_kvm(const char *target)
{
	return strcmp(target, "/dev/kvm") == 0 || strncmp(target, "anon_inode:kvm", 14) == 0 ||
	       strncmp(target, "anon_inode:[kvm", 15) == 0;
}

/* Only a process has an executable. */
static bool is_process(const char *pid)
{
	char path[300], exe[8];

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	return readlink(path, exe, sizeof(exe)) > 0;
}

static int look_at(const char *pid)
{
	char path[300], link[600], target[256];
	struct dirent *entry;
	int seen = 0;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (is_kvm(target)) {
			printf("process %s descriptor %s: %s\n", pid, entry->d_name, target);
			seen++;
		}
	}
	closedir(dir);
	return seen;
}

int main(void)
{
	unsigned long rounds = 0, looks = 0;
	struct dirent *entry;
	int seen = 0;
	DIR *proc;

	signal(SIGTERM, on_term);
	while (!stop) {
		proc = opendir("/proc");
		if (!proc) {
			perror("kvmfds: /proc");
			return 2;
		}
		while ((entry = readdir(proc))) {
			if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
			    strcmp(entry->d_name, "1") == 0 || !is_process(entry->d_name))
				continue;
			seen += look_at(entry->d_name);
			looks++;
		}
		closedir(proc);
		rounds++;
		usleep(2000);
	}
	printf("%lu rounds, %lu looks at a process, %d KVM descriptors\n", rounds, looks, seen);
	return seen > 0;
}
