// SPDX-License-Identifier: Apache-2.0
/*
 * In libFuzzer's place where there is no clang: runs the files of a folder, and then inputs made of
 * them by seeded cuts, joins and changed bytes. It knows nothing of coverage.
 * Usage: PROGRAM FOLDER RUNS SEED
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST	4096u
#define FILES	256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct {
	uint8_t data[LONGEST];
	size_t n;
} file[FILES];
static unsigned int files;
static uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next(uint64_t limit)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % limit;
}

static int read_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[512];
	FILE *f;

	if (!dir)
		return -1;
	while (files < FILES && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		f = fopen(name, "r");
		if (!f)
			continue;
		file[files].n = fread(file[files].data, 1, LONGEST, f);
		files += file[files].n > 0;
		fclose(f);
	}
	closedir(dir);
	return files ? 0 : -1;
}

/* The start of one file, the end of another, some bytes changed or random. */
static size_t make(uint8_t *to)
{
	const unsigned int a = next(files), b = next(files);
	size_t head = next(file[a].n + 1), from = next(file[b].n + 1), n, changes;

	if (head > LONGEST / 2)
		head = LONGEST / 2;
	n = file[b].n - from;
	if (n > LONGEST - head)
		n = LONGEST - head;
	memcpy(to, file[a].data, head);
	memcpy(to + head, file[b].data + from, n);
	n += head;
	while (n < LONGEST && next(16))
		to[n++] = (uint8_t)next(256);
	for (changes = n ? next(1 + n / 8) : 0; changes; changes--)
		to[next(n)] = (uint8_t)next(next(2) ? 16 : 256);
	return n;
}

int main(int argc, char **argv)
{
	static uint8_t data[LONGEST];
	unsigned long runs, i;

	if (argc != 4 || read_folder(argv[1])) {
		fprintf(stderr, "usage: %s FOLDER RUNS SEED\n", argv[0]);
		return 2;
	}
	runs = strtoul(argv[2], NULL, 10);
	state = strtoul(argv[3], NULL, 10);
	for (i = 0; i < files; i++)
		LLVMFuzzerTestOneInput(file[i].data, file[i].n);
	for (i = 0; i < runs; i++) {
		alarm(5);	/* one input does not take that long: it would never end */
		LLVMFuzzerTestOneInput(data, make(data));
	}
	printf("%u files, %lu inputs made of them\n", files, runs);
	return 0;
}
