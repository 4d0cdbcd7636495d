/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "obstacle.h"

bool obstacle_bridge_calls(const char *proc, const char *family)
{
	char path[128];
	FILE *f;
	int on;

	snprintf(path, sizeof(path), "%s/net/bridge/bridge-nf-call-%stables", proc, family);
	f = fopen(path, "re");
	if (!f)
		return false;
	on = fgetc(f);
	fclose(f);
	return on == '1';
}

bool obstacle_forward(const char *rules, const char *bridge)
{
	char name[32];

	if (!strstr(rules, "hook forward") || !strstr(rules, "policy drop"))
		return false;
	/* Whoever has written a rule for it has thought of it. */
	snprintf(name, sizeof(name), "\"%s\"", bridge);
	return !strstr(rules, name) && !strstr(rules, "\"uvt");
}

bool obstacle_managed(const char *run, unsigned int ifindex)
{
	char path[128], *line = NULL;
	bool managed = false;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/NetworkManager/devices/%u", run, ifindex);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!managed && getline(&line, &size, f) > 0)
		managed = !strncmp(line, "managed=true", strlen("managed=true"));
	free(line);
	fclose(f);
	return managed;
}
