/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include <common/addresses.h>

static bool of_one_host(const struct address *a)
{
	static const uint8_t zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family == AF_INET)
		return a->bytes[0] > 0 && a->bytes[0] < 224;
	/* Not multicast, not unspecified, not an IPv4 address in disguise. */
	return a->bytes[0] != 0xff && memcmp(a->bytes, zero, 16) && memcmp(a->bytes, mapped, 12);
}

int addresses_next(const char **list, struct address *a)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = strcspn(*list, ",");

	if (!**list)
		return 0;
	if (n >= sizeof(text))
		return -1;
	memcpy(text, *list, n);
	text[n] = '\0';
	a->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(a->family, text, a->bytes) != 1 || !of_one_host(a))
		return -1;
	inet_ntop(a->family, a->bytes, a->text, sizeof(a->text));
	*list += n + ((*list)[n] == ',');
	return 1;
}

bool addresses_valid(const char *list)
{
	const char *at = list;
	struct address a;
	int rc, n = 0;

	while ((rc = addresses_next(&at, &a)) > 0) {
		if (++n > ADDRESSES_MAX || strncmp(at - strlen(a.text) - (*at != '\0'), a.text,
						   strlen(a.text)))
			return false;
	}
	return rc == 0 && (!*list || list[strlen(list) - 1] != ',');
}
