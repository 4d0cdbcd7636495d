/* SPDX-License-Identifier: Apache-2.0 */
/* Whole JSON files of limited size, and what error messages about them need. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/json_file.h>
#include <common/size.h>

static int too_large(struct error *e, const char *name, size_t limit)
{
	char text[SIZE_TEXT];

	error_set(e, EXIT_INVALID, "the file is larger than the limit of %s",
		  size_format(limit, text));
	error_where(e, "%s", name);
	return error_fix(e, "name a JSON file; kernels, disks and the like are named inside it");
}

/* Reads at most limit bytes; a byte more is an error, however large the file says it is. */
static int slurp(int fd, const char *name, size_t limit, char **out, size_t *length,
		 struct error *e)
{
	char *buffer = malloc(limit + 1);
	size_t n = 0;
	ssize_t r;

	if (!buffer)
		return error_set(e, EXIT_FAILED, "out of memory");
	while (n <= limit && (r = read(fd, buffer + n, limit + 1 - n)) != 0) {
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			error_set(e, EXIT_INVALID, "cannot read the file: %s", strerror(errno));
			error_where(e, "%s", name);
			goto fail;
		}
		n += r;
	}
	if (n > limit) {
		too_large(e, name, limit);
		goto fail;
	}
	*out = buffer;
	*length = n;
	return 0;
fail:
	free(buffer);
	return -1;
}

json_t *json_file_load(const char *path, size_t limit, struct error *e)
{
	const char *name = strcmp(path, "-") ? path : "standard input";
	json_t *json = NULL;
	char *text = NULL;
	json_error_t je;
	struct stat st;
	size_t n = 0;
	int fd;

	/* A FIFO that nobody writes must not hang the open; it reads as empty. */
	fd = name == path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : dup(STDIN_FILENO);
	if (fd < 0 || fstat(fd, &st) < 0) {
		error_set(e, errno == ENOENT ? EXIT_NOT_FOUND : errno == EACCES ? EXIT_DENIED :
			  EXIT_INVALID, "cannot open the file: %s", strerror(errno));
		error_where(e, "%s", name);
		goto out;
	}
	if (name == path && S_ISFIFO(st.st_mode))
		fcntl(fd, F_SETFL, 0);
	else if (name == path && !S_ISREG(st.st_mode)) {
		error_set(e, EXIT_INVALID, "this is %s, not a regular file",
			  S_ISDIR(st.st_mode) ? "a directory" : "a device or socket");
		error_where(e, "%s", name);
		error_fix(e, "name a JSON file, or - to read standard input");
		goto out;
	}
	if (S_ISREG(st.st_mode) && st.st_size > (off_t)limit) {
		too_large(e, name, limit);
		goto out;
	}
	if (slurp(fd, name, limit, &text, &n, e) < 0)
		goto out;
	json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &je);
	if (!json) {
		error_set(e, EXIT_INVALID, "%s",
			  n ? "this is not valid JSON" : "the file is empty");
		error_where(e, n ? "%s: line %d, column %d" : "%s", name, je.line, je.column);
		if (n)
			error_why(e, "%s", je.text);
	}
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return json;
}

static int write_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t r = write(fd, text, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		text += r;
		n -= r;
	}
	return 0;
}

int json_file_save(const char *path, const json_t *json, struct error *e)
{
	char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
	char *copy = strdup(path), *temporary = NULL;
	int fd = -1, directory = -1, rc = -1;

	if (!text || !copy || asprintf(&temporary, "%s.new", path) < 0) {
		temporary = NULL;
		errno = ENOMEM;
		goto out;
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, text, strlen(text)) < 0 || write_all(fd, "\n", 1) < 0 ||
	    fsync(fd) < 0 || rename(temporary, path) < 0)
		goto out;
	/* The rename is durable once the directory is. */
	directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || fsync(directory) < 0)
		goto out;
	rc = 0;
out:
	if (rc < 0) {
		error_set(e, EXIT_FAILED, "cannot save the file: %s", strerror(errno));
		error_where(e, "%s", path);
	}
	if (fd >= 0)
		close(fd);
	if (directory >= 0)
		close(directory);
	free(text);
	free(copy);
	free(temporary);
	return rc;
}

const char *json_file_type(const json_t *value)
{
	if (!value)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_OBJECT:	return "an object";
	case JSON_ARRAY:	return "an array";
	case JSON_STRING:	return "a string";
	case JSON_INTEGER:	return "a whole number";
	case JSON_REAL:		return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE:	return "true or false";
	case JSON_NULL:		return "null";
	}
	return "something else";
}

const char *json_file_unknown(const json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		const char *const *k = keys;

		while (*k && strcmp(*k, key))
			k++;
		if (!*k)
			return key;
	}
	return NULL;
}

/* Levenshtein's distance, given up beyond 32 characters. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[33], la = strnlen(a, 33), lb = strnlen(b, 33);

	if (la > 32 || lb > 32)
		return 33;
	for (unsigned int j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= lb; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *json_file_nearest(const char *word, const char *const *keys)
{
	const char *nearest = NULL;
	unsigned int best = 3;

	for (; *keys; keys++) {
		unsigned int d = distance(word, *keys);

		if (d < best && d < strlen(*keys)) {
			best = d;
			nearest = *keys;
		}
	}
	return nearest;
}
