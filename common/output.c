/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, lines, JSON and errors. */
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <common/output.h>
#include <common/size.h>

#define CELL 1024

/* A guest's or a peer's text must not drive the terminal. */
static void make_safe(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/* "cpus.count" in { "cpus": { "count": … } } */
static const json_t *member(const json_t *object, const char *path)
{
	char part[64];

	while (object && *path) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		object = json_object_get(object, part);
		path += n + (path[n] == '.');
	}
	return object;
}

static void plain(char *to, size_t size, const json_t *value)
{
	size_t n = 0, i;
	json_t *item;

	to[0] = '\0';
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		snprintf(to, size, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(to, size, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(to, size, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(to, size, "yes");
		break;
	case JSON_FALSE:
		snprintf(to, size, "no");
		break;
	case JSON_ARRAY:
		json_array_foreach(value, i, item) {
			char text[128];

			plain(text, sizeof(text), item);
			if (n < size)
				n += snprintf(to + n, size - n, "%s%s", i ? ", " : "", text);
		}
		break;
	default:
		break;
	}
}

static void cell(char to[CELL], const struct output_field *field, const json_t *row)
{
	const json_t *value = member(row, field->key);

	if (field->format)
		field->format(to, CELL, value, row);
	else
		plain(to, CELL, value);
	make_safe(to);
	if (!to[0])
		strcpy(to, "-");
}

static struct libscols_table *new_table(FILE *to)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		abort();
	scols_table_set_stream(table, to);
	/* Never cut a cell, on whatever terminal: what is printed may be copied. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;
}

void output_table(FILE *to, const struct output_field *fields, const json_t *rows,
		  const char *none)
{
	struct libscols_table *table;
	struct libscols_line *line;
	char text[CELL];
	json_t *row;
	size_t i;

	if (!json_array_size(rows)) {
		if (none)
			fprintf(to, "%s\n", none);
		return;
	}
	table = new_table(to);
	for (const struct output_field *f = fields; f->title; f++)
		scols_table_new_column(table, f->title, 0, f->right ? SCOLS_FL_RIGHT : 0);
	json_array_foreach(rows, i, row) {
		line = scols_table_new_line(table, NULL);
		for (size_t c = 0; line && fields[c].title; c++) {
			cell(text, &fields[c], row);
			scols_line_set_data(line, c, text);
		}
	}
	scols_print_table(table);
	scols_unref_table(table);
}

void output_line(FILE *to, const struct output_field *fields, const json_t *row)
{
	char text[CELL];

	for (; fields->title; fields++) {
		cell(text, fields, row);
		fprintf(to, "%*s%s", fields->right ? 8 : -15, text, fields[1].title ? " " : "\n");
	}
}

void output_object(FILE *to, const struct output_field *fields, const json_t *object)
{
	struct libscols_table *table = new_table(to);
	struct libscols_line *line;
	char text[CELL], title[64];

	scols_table_enable_noheadings(table, 1);
	scols_table_new_column(table, "title", 0, 0);
	scols_table_new_column(table, "value", 0, 0);
	for (; fields->title; fields++) {
		cell(text, fields, object);
		if (!strcmp(text, "-"))
			continue;
		snprintf(title, sizeof(title), "%s:", fields->title);
		line = scols_table_new_line(table, NULL);
		if (!line)
			continue;
		scols_line_set_data(line, 0, title);
		scols_line_set_data(line, 1, text);
	}
	scols_print_table(table);
	scols_unref_table(table);
}

void output_json(FILE *to, const json_t *json)
{
	json_dumpf(json, to, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	fputc('\n', to);
}

void output_error(const char *program, const struct error *e, bool json)
{
	json_t *object;

	fflush(stdout);
	if (json) {
		object = error_to_json(e);
		output_json(stderr, object);
		json_decref(object);
		return;
	}
	fprintf(stderr, "%s: %s%s%s\n", program, e->where, e->where[0] ? ": " : "", e->message);
	if (e->why[0])
		fprintf(stderr, "  why: %s\n", e->why);
	if (e->fix[0])
		fprintf(stderr, "  fix: %s\n", e->fix);
}

void output_bytes(char *to, size_t size, const json_t *value, const json_t *row)
{
	char text[SIZE_TEXT];

	(void)row;
	if (json_is_integer(value))
		snprintf(to, size, "%s", size_human(json_integer_value(value), text));
	else
		snprintf(to, size, "-");
}

void output_since(char *to, size_t size, const json_t *value, const json_t *row)
{
	long long s, since = json_integer_value(value);
	struct timespec now;

	(void)row;
	clock_gettime(CLOCK_REALTIME, &now);
	s = now.tv_sec - since / 1000000000;
	if (!since || s < 0)
		snprintf(to, size, since ? "0s" : "-");
	else if (s < 60)
		snprintf(to, size, "%llds", s);
	else if (s < 3600)
		snprintf(to, size, "%lldm %02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(to, size, "%lldh %02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(to, size, "%lldd %02lldh", s / 86400, s / 3600 % 24);
}

void output_time(char *to, size_t size, const json_t *value, const json_t *row)
{
	time_t seconds = json_integer_value(value) / 1000000000;
	struct tm tm;

	(void)row;
	if (!seconds || !localtime_r(&seconds, &tm) || !strftime(to, size, "%F %T", &tm))
		snprintf(to, size, "-");
}
