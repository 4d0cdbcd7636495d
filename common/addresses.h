/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses of a network card: "10.0.0.5,fd00::5", each as inet_ntop() writes it; "": none. */
#ifndef COMMON_ADDRESSES_H
#define COMMON_ADDRESSES_H

#include <netinet/in.h>
#include <stdbool.h>

#define ADDRESSES_MAX 4

struct address {
	int family;			/* AF_INET, AF_INET6 */
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN];
};

/* Takes the next one from *list. 1; 0: there is none; -1: that is not the address of one host. */
int addresses_next(const char **list, struct address *a);
/* At most ADDRESSES_MAX, all as above. */
bool addresses_valid(const char *list);

#endif
