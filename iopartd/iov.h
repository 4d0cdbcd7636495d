/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of buffers, such as a descriptor chain is. In each call n is their number, and what is
 * meant begins skip bytes after the beginning of the first; beyond the last there is nothing, and
 * nothing is copied. Buffers in a guest's memory are touched in guarded calls only.
 */
#ifndef IOPARTD_IOV_H
#define IOPARTD_IOV_H

#include <stdint.h>
#include <sys/uio.h>

void iov_read(void *to, const struct iovec *iov, unsigned int n, uint64_t skip, uint64_t bytes);
void iov_write(const struct iovec *iov, unsigned int n, uint64_t skip, const void *from,
	       uint64_t bytes);

/*
 * Lists those bytes anew; to may be from, and has room for n. Returns how many buffers they are.
 */
unsigned int iov_cut(struct iovec *to, const struct iovec *from, unsigned int n, uint64_t skip,
		     uint64_t bytes);

#endif
