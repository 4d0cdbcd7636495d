/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "iov.h"

/* What of v is meant. Moves skip and bytes on. */
static struct iovec meant(struct iovec v, uint64_t *skip, uint64_t *bytes)
{
	uint64_t before = *skip < v.iov_len ? *skip : v.iov_len;

	v.iov_base = (char *)v.iov_base + before;
	v.iov_len -= before;
	*skip -= before;
	if (v.iov_len > *bytes)
		v.iov_len = *bytes;
	*bytes -= v.iov_len;
	return v;
}

void iov_read(void *to, const struct iovec *iov, unsigned int n, uint64_t skip, uint64_t bytes)
{
	char *p = to;
	unsigned int i;

	for (i = 0; i < n && bytes; i++) {
		struct iovec v = meant(iov[i], &skip, &bytes);

		memcpy(p, v.iov_base, v.iov_len);
		p += v.iov_len;
	}
}

void iov_write(const struct iovec *iov, unsigned int n, uint64_t skip, const void *from,
	       uint64_t bytes)
{
	const char *p = from;
	unsigned int i;

	for (i = 0; i < n && bytes; i++) {
		struct iovec v = meant(iov[i], &skip, &bytes);

		memcpy(v.iov_base, p, v.iov_len);
		p += v.iov_len;
	}
}

unsigned int iov_cut(struct iovec *to, const struct iovec *from, unsigned int n, uint64_t skip,
		     uint64_t bytes)
{
	unsigned int i, count = 0;

	for (i = 0; i < n && bytes; i++) {
		struct iovec v = meant(from[i], &skip, &bytes);

		if (v.iov_len)
			to[count++] = v;
	}
	return count;
}
