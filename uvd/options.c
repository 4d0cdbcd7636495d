/* SPDX-License-Identifier: Apache-2.0 */
/* Options move every path, for tests; their defaults are an installed host's. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

static const char usage[] =
	"usage: uvd [--state DIR] [--run DIR] [--device PATH] [--monitor PATH] [--debug]\n"
	"       uvd --inventory\n"
	"\n"
	"The ultravisor partition: keeps the resource database, commits transactions, supervises\n"
	"guests. Everything is asked of it over the command channel: see cmdpartctl(1).\n"
	"\n"
	"  --state DIR     database and console logs (/var/lib/ultravisor)\n"
	"  --run DIR       socket (/run/ultravisor)\n"
	"  --device PATH   the module's device (/dev/ultravisor)\n"
	"  --monitor PATH  program of a guest's monitor (uvmonitor beside this program)\n"
	"  --inventory     print what a first start would set aside for partitions, then exit\n"
	"  --check-db      tell whether the database is sound, then exit: 0 or 1\n"
	"  --restore FILE  put a backup in its place, then exit; uvd must not run\n"
	"  --debug, -d     log every transaction, too\n"
	"  --help, -h      this text\n";

/* In the directory of our own program. */
static int default_monitor(char *to, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", to, size - 1);
	char *slash;

	if (n < 0)
		return -errno;
	to[n] = '\0';
	slash = strrchr(to, '/');
	if (!slash || (size_t)(slash - to) + sizeof("/uvmonitor") > size)
		return -ENAMETOOLONG;
	strcpy(slash, "/uvmonitor");
	return 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "device", required_argument, NULL, 'D' },
		{ "monitor", required_argument, NULL, 'm' },
		{ "inventory", no_argument, NULL, 'i' },
		{ "check-db", no_argument, NULL, 'c' },
		{ "restore", required_argument, NULL, 'R' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	memset(o, 0, sizeof(*o));
	o->state = "/var/lib/ultravisor";
	o->run = "/run/ultravisor";
	o->device = "/dev/ultravisor";
	if (default_monitor(o->monitor, sizeof(o->monitor)) < 0)
		o->monitor[0] = '\0';
	while ((c = getopt_long(argc, argv, "dh", options, NULL)) != -1) {
		switch (c) {
		case 's':
			o->state = optarg;
			break;
		case 'r':
			o->run = optarg;
			break;
		case 'D':
			o->device = optarg;
			break;
		case 'm':
			snprintf(o->monitor, sizeof(o->monitor), "%s", optarg);
			break;
		case 'i':
			o->inventory = true;
			break;
		case 'c':
			o->check = true;
			break;
		case 'R':
			o->restore = optarg;
			break;
		case 'd':
			o->debug = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs(usage, stderr);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "uvd: unexpected argument \"%s\"\n%s", argv[optind], usage);
		return -EINVAL;
	}
	return 0;
}
