/* SPDX-License-Identifier: Apache-2.0 */
/* From a definition's JSON to a struct and back. What each key means: docs/definition.md. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/definition.h>
#include <common/json_file.h>
#include <common/reader.h>
#include <common/size.h>

#define NS_PER_US	1000ull
#define NS_PER_MS	1000000ull
#define NS_PER_S	1000000000ull
#define MAX_LEASE_S	86400
#define MAX_PERIOD_MS	1000	/* the module's limit of a context's period */

static int parse_mode(const struct reader *r, const char *mode, enum command_mode *out)
{
	static const struct {
		const char *name;
		enum command_mode mode;
	} modes[] = {
		{ "shared", MODE_SHARED }, { "dedicated", MODE_DEDICATED },
		{ "window", MODE_WINDOW },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(mode, modes[i].name)) {
			*out = modes[i].mode;
			return 0;
		}
	reader_fault(r, "cpus.mode", "\"%s\" is not a mode", mode);
	return error_fix(r->e, "use \"shared\", \"dedicated\" or \"window\"");
}

/* Budget, period, window and real time as they go with the mode. */
static int check_time(const struct reader *r, const struct definition *d, uint64_t budget,
		      uint64_t period, uint64_t window)
{
	const char *mode = d->mode == MODE_WINDOW ? "a window" : "a dedicated CPU";

	if (d->mode != MODE_SHARED && (budget || period)) {
		reader_fault(r, budget ? "cpus.budget_ms" : "cpus.period_ms", "%s has no budget",
			     mode);
		return error_fix(r->e, "leave budget_ms and period_ms out, or use \"shared\"");
	}
	if (!window != (d->mode != MODE_WINDOW)) {
		reader_fault(r, "cpus.window_us", window ? "only mode \"window\" has windows" :
			     "the key is missing");
		return error_fix(r->e, window ? "leave the key out, or use \"mode\": \"window\"" :
				 "say how long its window in each frame is, for example 2000");
	}
	if (!budget != !period) {
		reader_fault(r, budget ? "cpus.period_ms" : "cpus.budget_ms", "the key is missing");
		error_why(r->e, "budget_ms and period_ms belong together");
		return error_fix(r->e, "give both, or neither for no budget");
	}
	if (budget > period) {
		reader_fault(r, "cpus.budget_ms", "%d ms do not fit into a period of %d ms",
			     (int)budget, (int)period);
		return error_fix(r->e, "use at most %d", (int)period);
	}
	if (d->realtime && !budget) {
		reader_fault(r, "cpus.realtime", "real-time priority goes with a budget alone");
		return error_fix(r->e, "give budget_ms and period_ms, or leave the key out");
	}
	if (d->realtime && command_ppm(budget, period) > PROCESSOR_REALTIME_PPM) {
		reader_fault(r, "cpus.budget_ms", "more than 90 %% of a CPU in real time");
		return error_fix(r->e, "use at most 90 %% of the period");
	}
	return 0;
}

static int parse_cpus(const struct reader *r, const json_t *cpus, struct definition *d)
{
	static const char *const keys[] = { "count", "mode", "budget_ms", "period_ms", "realtime",
					    "window_us", NULL };
	uint64_t count, budget = 0, period = 0, window = 0;
	char mode[32] = "shared";

	d->realtime = false;
	if (reader_object(r, "cpus", cpus, keys) < 0 ||
	    reader_number(r, "cpus", cpus, "count", true, 1, DEFINITION_MAX_VCPUS, &count) < 0 ||
	    reader_text(r, "cpus", cpus, "mode", "\"shared\"", false, mode, sizeof(mode)) < 0 ||
	    reader_number(r, "cpus", cpus, "budget_ms", false, 1, MAX_PERIOD_MS, &budget) < 0 ||
	    reader_number(r, "cpus", cpus, "period_ms", false, 1, MAX_PERIOD_MS, &period) < 0 ||
	    reader_bool(r, "cpus", cpus, "realtime", &d->realtime) < 0 ||
	    reader_number(r, "cpus", cpus, "window_us", false, 100, MAX_PERIOD_MS * 1000,
			  &window) < 0 ||
	    parse_mode(r, mode, &d->mode) < 0 || check_time(r, d, budget, period, window) < 0)
		return -1;
	d->vcpus = count;
	d->budget_ns = budget * NS_PER_MS;
	d->period_ns = period * NS_PER_MS;
	d->window_ns = window * NS_PER_US;
	return 0;
}

int definition_parse_cpus(struct definition *d, const json_t *cpus, const char *source,
			  struct error *e)
{
	const struct reader r = { source, NULL, e };

	return parse_cpus(&r, cpus, d);
}

static int parse_boot(const struct reader *r, const json_t *boot, struct definition *d)
{
	static const char *const keys[] = { "kernel", "initrd", "cmdline", NULL };

	if (reader_object(r, "boot", boot, keys) < 0 ||
	    reader_path(r, "boot", boot, "kernel", "\"vmlinuz\"", true, d->kernel,
			sizeof(d->kernel)) < 0 ||
	    reader_path(r, "boot", boot, "initrd", "\"initrd.gz\"", false, d->initrd,
			sizeof(d->initrd)) < 0 ||
	    reader_text(r, "boot", boot, "cmdline", "\"console=ttyS0\"", false, d->cmdline,
			sizeof(d->cmdline)) < 0)
		return -1;
	return 0;
}

static int parse_device(const struct reader *r, const json_t *json, struct definition *d)
{
	struct definition_device *v = &d->device[d->devices];
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "devices[%u]", d->devices);
	if (definition_parse_device(r, prefix, json, v) < 0)
		return -1;
	for (unsigned int i = 0; i < d->devices; i++)
		if (definition_check_pair(r, prefix, i, &d->device[i], v) < 0)
			return -1;
	d->devices++;
	return 0;
}

static int parse_devices(const struct reader *r, const json_t *json, struct definition *d)
{
	json_t *devices;
	int rc;

	rc = reader_get(r, "", json, "devices", JSON_ARRAY,
			"[ { \"type\": \"console\", \"name\": \"console\" } ]", false, &devices);
	if (rc <= 0)
		return rc;
	if (json_array_size(devices) > DEFINITION_MAX_DEVICES) {
		reader_fault(r, "devices", "has %zu devices", json_array_size(devices));
		return error_fix(r->e, "use at most %u", DEFINITION_MAX_DEVICES);
	}
	for (size_t i = 0; i < json_array_size(devices); i++)
		if (parse_device(r, json_array_get(devices, i), d) < 0)
			return -1;
	return 0;
}

int definition_parse(struct definition *d, const json_t *json, const char *source,
		     const char *base, struct error *e)
{
	static const char *const keys[] = { "version", "name", "domain", "cpus", "memory", "boot",
					    "devices", "lease_s", NULL };
	const struct reader r = { source, base, e };
	uint64_t version = DEFINITION_VERSION, lease = 0;
	json_t *cpus, *boot;

	memset(d, 0, sizeof(*d));
	strcpy(d->domain, "default");
	if (reader_object(&r, "", json, keys) < 0 ||
	    reader_number(&r, "", json, "version", false, 1, INT_MAX, &version) < 0)
		return -1;
	if (version != DEFINITION_VERSION) {
		reader_fault(&r, "version", "version %d is not known", (int)version);
		return error_fix(e, "write \"version\": %d", DEFINITION_VERSION);
	}
	if (reader_name(&r, "", json, "name", true, d->name, sizeof(d->name)) < 0 ||
	    reader_name(&r, "", json, "domain", false, d->domain, sizeof(d->domain)) < 0 ||
	    reader_get(&r, "", json, "cpus", JSON_OBJECT, "{ \"count\": 1 }", true, &cpus) < 0 ||
	    parse_cpus(&r, cpus, d) < 0 ||
	    reader_size(&r, "", json, "memory", true, DEFINITION_MEMORY_STEP, &d->memory) < 0 ||
	    reader_get(&r, "", json, "boot", JSON_OBJECT, "{ \"kernel\": \"vmlinuz\" }", true,
		       &boot) < 0 ||
	    parse_boot(&r, boot, d) < 0 || parse_devices(&r, json, d) < 0 ||
	    reader_number(&r, "", json, "lease_s", false, 1, MAX_LEASE_S, &lease) < 0)
		return -1;
	d->lease_ns = lease * NS_PER_S;
	return 0;
}

int definition_load(struct definition *d, const char *path, struct error *e)
{
	json_t *json = json_file_load(path, DEFINITION_MAX_BYTES, e);
	char base[PATH_MAX], *copy = NULL;
	struct stat st;
	bool file;
	int rc = -1;

	if (!json)
		return -1;
	/* What comes through a pipe, <(…) too, is nobody's file: it counts from where we are. */
	file = strcmp(path, "-") && !stat(path, &st) && S_ISREG(st.st_mode);
	copy = strdup(path);
	if (!copy || !(file ? realpath(dirname(copy), base) : getcwd(base, sizeof(base)))) {
		error_set(e, EXIT_FAILED, "cannot tell the file's directory: %s", strerror(errno));
		error_where(e, "%s", path);
		goto out;
	}
	rc = definition_parse(d, json, strcmp(path, "-") ? path : "standard input", base, e);
out:
	free(copy);
	json_decref(json);
	return rc;
}

json_t *definition_cpus_to_json(const struct definition *d)
{
	json_t *cpus = json_pack("{s:i, s:s}", "count", (int)d->vcpus, "mode",
				 d->mode == MODE_DEDICATED ? "dedicated" :
				 d->mode == MODE_WINDOW ? "window" : "shared");

	if (d->budget_ns) {
		json_object_set_new(cpus, "budget_ms", json_integer(d->budget_ns / NS_PER_MS));
		json_object_set_new(cpus, "period_ms", json_integer(d->period_ns / NS_PER_MS));
	}
	if (d->realtime)
		json_object_set_new(cpus, "realtime", json_true());
	if (d->mode == MODE_WINDOW)
		json_object_set_new(cpus, "window_us", json_integer(d->window_ns / NS_PER_US));
	return cpus;
}

json_t *definition_to_json(const struct definition *d)
{
	json_t *cpus = definition_cpus_to_json(d), *boot, *devices = json_array(), *o;
	char memory[SIZE_TEXT];

	boot = json_pack("{s:s}", "kernel", d->kernel);
	if (d->initrd[0])
		json_object_set_new(boot, "initrd", json_string(d->initrd));
	if (d->cmdline[0])
		json_object_set_new(boot, "cmdline", json_string(d->cmdline));
	for (unsigned int i = 0; i < d->devices; i++)
		json_array_append_new(devices, definition_device_to_json(&d->device[i]));
	o = json_pack("{s:i, s:s, s:s, s:o, s:s, s:o, s:o}", "version", DEFINITION_VERSION,
		      "name", d->name, "domain", d->domain, "cpus", cpus, "memory",
		      size_format(d->memory, memory), "boot", boot, "devices", devices);
	if (d->lease_ns)
		json_object_set_new(o, "lease_s", json_integer(d->lease_ns / NS_PER_S));
	return o;
}
