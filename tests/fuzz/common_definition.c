// SPDX-License-Identifier: Apache-2.0
// fuzz-sources: common/*.c
// fuzz-packages: jansson libcurl libmicrohttpd libsystemd smartcols libcap-ng
/*
 * A definition from a file or a request: the input is its text. Found is what the sanitizers find,
 * a refusal that does not say what and where, or a definition that is another one when it is
 * printed and read again.
 */
#include <common/definition.h>

#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	json_t *json = json_loadb((const char *)data, n, JSON_REJECT_DUPLICATES, NULL), *printed;
	struct error e = ERROR_NONE;
	struct definition d, again;

	if (!json)
		return 0;
	if (definition_parse(&d, json, "input", "/srv", &e) < 0) {
		require(e.code == EXIT_INVALID && e.message[0] && e.where[0]);
		error_clear(&e);
		json_decref(json);
		return 0;
	}
	json_decref(json);
	printed = definition_to_json(&d);
	require(printed);
	require(!definition_parse(&again, printed, "printed", NULL, &e));
	json = definition_to_json(&again);
	require(json_equal(json, printed));
	json_decref(json);
	json_decref(printed);
	return 0;
}
