// SPDX-License-Identifier: Apache-2.0
/*
 * init: PID 1 of the test host.
 *
 * main() is the whole story in order: reach this machine's files, load the hypervisor, start
 * the system partitions, run one command, take everything down again and report its status.
 * No status means that the test host itself failed; scripts/appliance then shows the kernel log.
 */
#include "clock.h"
#include "command.h"
#include "config.h"
#include "daemon.h"
#include "loop.h"
#include "report.h"
#include "root.h"
#include "systemd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	DAEMON_READY_MS = 20000,
	DAEMON_STOP_MS = 5000,
	LAST_PROCESS_MS = 5000,
	STATUS_UNCLEAN = 125,
};

static struct config config;

/*
 * The host
 */

static bool cpu_has(const char *flag)
{
	char line[8192], word[32];
	bool found = false;
	FILE *file = fopen("/proc/cpuinfo", "re");

	snprintf(word, sizeof(word), " %s ", flag);
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = ' ';
		found = !strncmp(line, "flags", 5) && strstr(line, word);
	}
	if (file)
		fclose(file);
	return found;
}

/* A VM with one vCPU, with or without interrupt controllers in the kernel. */
static int spare_vm(int kvm, bool irqchip)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0)
		return -1;
	if (irqchip && ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0)
		return -1;
	return ioctl(vm, KVM_CREATE_VCPU, 0);
}

/*
 * The first VM made and the last one gone flip static keys, and so do the first vCPU without
 * interrupt controller and the first whose controller is off. That rewrites kernel code; with
 * several emulated CPUs QEMU can run half of such a rewrite, and hangs. Spare VMs that last as long
 * as the host keep the keys where they are. Their descriptors are the only ones of KVM in any
 * process.
 */
static void hold_spare_vms(void)
{
	int kvm;

	/* systemd would close them; a process of its own keeps them then. */
	if (config.systemd && fork() != 0)
		return;
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0 || spare_vm(kvm, true) < 0 || spare_vm(kvm, false) < 0)
		say("no KVM: %s", strerror(errno));
	if (kvm >= 0)
		close(kvm);
	if (config.systemd) {
		child_begin();
		for (;;)
			pause();
	}
}

/* A module that was built for this kernel, from the repository; without it goes on. */
static void load_built(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		say("%s: %s, skipped", path, strerror(errno));
		return;
	}
	if (syscall(SYS_finit_module, fd, "", 0) < 0)
		say("%s: cannot load: %s", path, strerror(errno));
	close(fd);
}

static void load_hypervisor(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/build/testhost/constant-tsc/%s/constant_tsc.ko",
		 config.repo, config.kernel);
	if (access(path, F_OK) == 0)
		load_built(path);
	/* tun, loop: their device nodes are there only once they are loaded. */
	if (RUN("modprobe", "-a", cpu_has("vmx") ? "kvm_intel" : "kvm_amd", "tun", "loop"))
		say("modprobe failed");
	hold_spare_vms();
}

static void load_module(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/build/kmod/%s/ultravisor.ko", config.repo, config.kernel);
	load_built(path);
}

/*
 * The test host boots on one processor: most of what a kernel rewrites of itself is done by now,
 * and no other processor can see half of it.
 */
static void bring_processors_up(void)
{
	glob_t files;
	size_t i;

	if (glob("/sys/devices/system/cpu/cpu[0-9]*/online", 0, NULL, &files) != 0)
		return;
	for (i = 0; i < files.gl_pathc; i++) {
		int fd = open(files.gl_pathv[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "1", 1) != 1)
			say("%s: %s", files.gl_pathv[i], strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	globfree(&files);
}

static void mount_state(void)
{
	if (RUN("modprobe", "-a", "virtio_blk", "ext4"))
		die("modprobe virtio_blk ext4");
	make_directories("/var/lib/ultravisor");
	/*
	 * Else a thread of ext4 writes inode tables for the first minute, and the disk's interrupts
	 * land in what is measured to the microsecond.
	 */
	if (mount("/dev/vda", "/var/lib/ultravisor", "ext4", MS_NOATIME, "noinit_itable") < 0)
		die("mount /dev/vda on /var/lib/ultravisor");
}

/* The same declarations that a package installs make the users and directories here. */
static void make_users_and_directories(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/systemd/ultravisor.sysusers", config.repo);
	if (access(path, R_OK) == 0 && RUN("systemd-sysusers", path))
		say("%s: failed; see init.log", path);
	snprintf(path, sizeof(path), "%s/systemd/ultravisor.tmpfiles", config.repo);
	if (access(path, R_OK) == 0 && RUN("systemd-tmpfiles", "--create", path))
		say("%s: failed; see init.log", path);
}

/* Every log is a file of the run's share from its first byte, so a crash takes none along. */
static void share_logs(void)
{
	int log;

	mkdir(ROOT_RUN "/log", 0755);
	make_directories(DAEMON_LOGS);
	if (mount(ROOT_RUN "/log", DAEMON_LOGS, NULL, MS_BIND, NULL) < 0)
		die("mount " DAEMON_LOGS);
	log = open(DAEMON_LOGS "/init.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log < 0)
		die("open init.log");
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close(log);
}

/*
 * The system partitions
 */

static void start_daemons(void)
{
	int i;

	daemon_init(&config);
	for (i = 0; i < daemon_count(); i++) {
		long deadline = clock_ms() + DAEMON_READY_MS;

		if (!daemon_start(i))
			continue;
		while (!daemon_is_ready(i) && clock_ms() < deadline)
			loop_once(deadline);
		if (!daemon_is_ready(i))
			say("%s: not ready after %d s, going on; see its log", daemon_name(i),
			    DAEMON_READY_MS / 1000);
	}
}

/* In reverse order, so that nobody misses what it depends on. */
static void stop_daemons(void)
{
	int i;

	for (i = 0; i < daemon_count(); i++)
		if (!daemon_is_running(i))
			daemon_stop(i, 0);
	for (i = daemon_count() - 1; i >= 0; i--) {
		long deadline = clock_ms() + DAEMON_STOP_MS;

		daemon_stop(i, SIGTERM);
		while (daemon_is_running(i) && clock_ms() < deadline)
			loop_once(deadline);
		if (!daemon_is_running(i))
			continue;
		say("%s: did not end within %d s of SIGTERM", daemon_name(i),
		    DAEMON_STOP_MS / 1000);
		daemon_stop(i, SIGKILL);
	}
}

/*
 * The end
 */

/* Every process but this one. Returns false if one cannot be killed: a bug of the kernel's side. */
static bool kill_the_rest(void)
{
	long deadline = clock_ms() + LAST_PROCESS_MS;

	kill(-1, SIGKILL);
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return true;
		if (pid > 0)
			continue;
		if (clock_ms() >= deadline)
			return false;
		usleep(5000);
	}
}

static void name_the_unkillable(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[300], comm[64] = "", exe[8];
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		/* Kernel threads have no program; this process is not meant. */
		if (atoi(entry->d_name) <= 1 || readlink(path, exe, sizeof(exe)) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (file && fgets(comm, sizeof(comm), file)) {
			comm[strcspn(comm, "\n")] = '\0';
			say("process %s (%s) does not die of SIGKILL", entry->d_name, comm);
		}
		if (file)
			fclose(file);
	}
	if (dir)
		closedir(dir);
}

static void save_kernel_log(void)
{
	enum { READ_ALL = 3, SIZE_BUFFER = 10 };
	int size = klogctl(SIZE_BUFFER, NULL, 0), have;
	char *text = size > 0 ? malloc((size_t)size) : NULL;
	FILE *file;

	have = text ? klogctl(READ_ALL, text, size) : -1;
	file = fopen(DAEMON_LOGS "/dmesg.log", "we");
	if (have > 0 && file)
		fwrite(text, 1, (size_t)have, file);
	if (file)
		fclose(file);
	free(text);
}

int main(int argc, char *argv[])
{
	int rc, status;

	if (argc > 1 && !strcmp(argv[1], "command"))
		return systemd_command();
	loop_init();
	root_early();
	rc = config_read(&config, ROOT_RUN_EARLY);
	if (rc) {
		errno = -rc;
		die("read the run's configuration");
	}
	root_switch(&config);
	environ = config.environ;
	command_streams(&config);
	root_late();
	share_logs();
	load_hypervisor();
	mount_state();
	bring_processors_up();
	if (config.systemd)
		systemd_exec(&config);
	load_module();
	make_users_and_directories();
	if (config.daemons)
		start_daemons();

	step("the test host is up after %ld ms", clock_ms());
	command_start(&config);
	status = command_wait(&config);
	step("the command ended with status %d", status);

	if (config.daemons)
		stop_daemons();
	if (!kill_the_rest()) {
		name_the_unkillable();
		status = STATUS_UNCLEAN;
	}
	command_finish();
	save_kernel_log();
	umount("/var/lib/ultravisor");
	write_status(status);
	power_off();
}
