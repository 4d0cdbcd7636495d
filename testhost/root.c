// SPDX-License-Identifier: Apache-2.0
/*
 * root: the test host's file system.
 *
 *	/early/run	9p, this run's folder on the build machine (read-write)
 *	/early/host	9p, the build machine's / (read-only)
 *	/early/upper	tmpfs, what the test host changes
 *	/early/overlay	upper over host
 *	/early/root	the overlay without the mounts beneath it: the new root
 *
 * On top of the new root lie fresh tmpfs at /run and /tmp. What must stay visible beneath
 * those, the repository and the working directory, is bound there from the overlay.
 */
#include "root.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEW	"/early/root"
#define OVERLAY	"/early/overlay"
#define P9	"trans=virtio,version=9p2000.L,msize=512000,"

void make_directories(const char *path)
{
	char copy[4096], *slash;

	snprintf(copy, sizeof(copy), "%s", path);
	for (slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	mkdir(copy, 0755);
}

static void must_mount(const char *source, const char *target, const char *type,
		       unsigned long flags, const char *data)
{
	make_directories(target);
	if (mount(source, target, type, flags, data) < 0)
		die("mount %s on %s", source, target);
}

/* For what a test may need and the test host itself does not. */
static void may_mount(const char *type, const char *target, const char *data)
{
	make_directories(target);
	if (mount(type, target, type, MS_NOSUID | MS_NODEV, data) < 0)
		step("no %s on %s: %s", type, target, strerror(errno));
}

void child_begin(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
}

int run(const char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return 126;
	if (pid == 0) {
		child_begin();
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The names in /modules sort in the order of loading. */
static void load_modules(void)
{
	glob_t found;
	size_t i;

	if (glob("/modules/*.ko", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
			die("load %s", found.gl_pathv[i]);
		close(fd);
	}
	globfree(&found);
}

void root_early(void)
{
	must_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	must_mount("proc", "/proc", "proc", 0, NULL);
	must_mount("sysfs", "/sys", "sysfs", 0, NULL);
	load_modules();
	/* No cache: what is written here is on the build machine when write(2) returns. */
	must_mount("run", ROOT_RUN_EARLY, "9p", 0, P9 "access=any");
}

static bool is_beneath(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(path, top, len) && (path[len] == '/' || path[len] == '\0');
}

static void keep_visible(const char *path)
{
	char from[4096], to[4096];

	if (!is_beneath(path, "/tmp") && !is_beneath(path, "/run"))
		return;
	if (!strcmp(path, "/tmp") || !strcmp(path, "/run"))
		return;
	snprintf(from, sizeof(from), OVERLAY "%s", path);
	snprintf(to, sizeof(to), NEW "%s", path);
	must_mount(from, to, "none", MS_BIND, NULL);
}

static void bind_modules(const struct config *config)
{
	char from[4096], to[4096];
	struct utsname name;

	uname(&name);
	snprintf(from, sizeof(from), OVERLAY "%s/lib/modules/%s", config->kernel_dir, name.release);
	snprintf(to, sizeof(to), NEW "/usr/lib/modules/%s", name.release);
	must_mount(from, to, "none", MS_BIND, NULL);
}

void root_switch(const struct config *config)
{
	char out[4096], options[256];

	/*
	 * Loose caching trusts that files do not change under the test host. They may be
	 * replaced by a build; that is the caller's to avoid, as for any program that runs.
	 */
	must_mount("host", "/early/host", "9p", MS_RDONLY, P9 "access=any,cache=loose");
	must_mount("tmpfs", "/early/upper", "tmpfs", 0, "size=75%,mode=755");
	make_directories("/early/upper/upper");
	make_directories("/early/upper/work");
	/* An installed tree of the project, if the run has one, lies between. */
	snprintf(options, sizeof(options), "lowerdir=%s/early/host,upperdir=%s,workdir=%s",
		 access(ROOT_RUN_EARLY "/tree", F_OK) == 0 ? ROOT_RUN_EARLY "/tree:" : "",
		 "/early/upper/upper", "/early/upper/work");
	must_mount("overlay", OVERLAY, "overlay", 0, options);
	must_mount(OVERLAY, NEW, "none", MS_BIND, NULL);

	must_mount("tmpfs", NEW "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
	must_mount("tmpfs", NEW "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	keep_visible(config->repo);
	keep_visible(config->cwd);
	bind_modules(config);
	make_directories(NEW "/run/lock");

	must_mount("/dev", NEW "/dev", "none", MS_MOVE, NULL);
	must_mount("/proc", NEW "/proc", "none", MS_MOVE, NULL);
	must_mount("/sys", NEW "/sys", "none", MS_MOVE, NULL);
	must_mount(ROOT_RUN_EARLY, NEW ROOT_RUN, "none", MS_MOVE, NULL);
	/* Last: it may lie within the repository, the working directory, /tmp or anywhere. */
	snprintf(out, sizeof(out), NEW "%s", config->out);
	must_mount("out", out, "9p", 0, P9 "access=any,cache=mmap");

	/*
	 * The kernel's helpers (modprobe) share PID 1's root, so this chroot is theirs as well.
	 */
	if (chdir(NEW) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		die("switch root");
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		step("no loopback interface: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Controllers for everybody below the root group; the root group itself is exempt from rules. */
static void delegate_controllers(void)
{
	static const char *const controllers[] = {
		"+cpuset", "+cpu", "+io", "+memory", "+hugetlb", "+pids",
	};
	size_t i;

	for (i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
		int fd = open("/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			return;
		if (write(fd, controllers[i], strlen(controllers[i])) < 0)
			step("no cgroup controller %s: %s", controllers[i] + 1, strerror(errno));
		close(fd);
	}
	/*
	 * The first group that accounts memory flips static keys: better now, while the other
	 * processors are idle, than under load (see hold_spare_vms in init.c).
	 */
	if (mkdir("/sys/fs/cgroup/spare", 0755) < 0)
		step("no spare cgroup: %s", strerror(errno));
}

void root_late(void)
{
	may_mount("devpts", "/dev/pts", "mode=620,gid=5,ptmxmode=666");
	may_mount("tmpfs", "/dev/shm", "mode=1777");
	may_mount("mqueue", "/dev/mqueue", NULL);
	may_mount("hugetlbfs", "/dev/hugepages", NULL);
	may_mount("cgroup2", "/sys/fs/cgroup", NULL);
	may_mount("debugfs", "/sys/kernel/debug", NULL);
	may_mount("tracefs", "/sys/kernel/tracing", NULL);
	may_mount("securityfs", "/sys/kernel/security", NULL);
	delegate_controllers();
	loopback_up();
	if (symlink("/proc/self/fd", "/dev/fd") < 0 ||
	    symlink("/proc/self/fd/0", "/dev/stdin") < 0 ||
	    symlink("/proc/self/fd/1", "/dev/stdout") < 0 ||
	    symlink("/proc/self/fd/2", "/dev/stderr") < 0)
		step("no /dev/fd: %s", strerror(errno));
	if (sethostname("testhost", strlen("testhost")) < 0)
		step("no host name: %s", strerror(errno));
}
