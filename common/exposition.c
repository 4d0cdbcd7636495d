/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "exposition.h"

int exposition_begin(struct exposition *x)
{
	*x = (struct exposition){ 0 };
	x->to = open_memstream(&x->text, &x->size);
	return x->to ? 0 : -ENOMEM;
}

char *exposition_end(struct exposition *x)
{
	if (fclose(x->to)) {
		free(x->text);
		x->text = NULL;
	}
	return x->text;
}

void exposition_family(struct exposition *x, const char *family, const char *type,
		       const char *help)
{
	x->family = family;
	fprintf(x->to, "# HELP %s %s\n# TYPE %s %s\n", family, help, family, type);
}

static void write_value(FILE *to, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', to);
		if (*value == '\n')
			fputs("\\n", to);
		else
			fputc(*value, to);
	}
}

void exposition_sample(struct exposition *x, const char *suffix, double value, ...)
{
	const char *name, *separator = "{", *end = "";
	va_list labels;

	fprintf(x->to, "%s%s", x->family, suffix);
	va_start(labels, value);
	while ((name = va_arg(labels, const char *))) {
		fprintf(x->to, "%s%s=\"", separator, name);
		write_value(x->to, va_arg(labels, const char *));
		fputc('"', x->to);
		separator = ",";
		end = "}";
	}
	va_end(labels);
	/* Exact for whole numbers up to 2^53. */
	fprintf(x->to, "%s %.16g\n", end, value);
}
