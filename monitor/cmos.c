/* SPDX-License-Identifier: Apache-2.0 */
/* MC146818 registers 0 to 13 and the century; the rest is memory. */
#include <string.h>
#include <time.h>

#include "cmos.h"
#include "layout.h"

#define REG_A		10
#define REG_B		11
#define REG_C		12
#define REG_D		13
#define CENTURY		0x32
#define B_24_HOURS	0x02
#define D_VALID		0x80

static uint8_t bcd(int v)
{
	return v / 10 << 4 | v % 10;
}

/*
 * The Gregorian date of a day number, March first in the year so that leap days come last. Not
 * gmtime_r: it reads the time zone's file, which the filter of system calls forbids.
 */
static void date(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468;		/* from 0000-03-01 on */
	int64_t era = z / 146097, of_era = z % 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = era * 400 + y + (*month <= 2);
}

uint8_t cmos_register(const struct cmos *c, unsigned int index, uint64_t now)
{
	int year, month, day;

	date(now / 86400, &year, &month, &day);
	switch (index) {
	case 0:		return bcd(now % 60);
	case 2:		return bcd(now / 60 % 60);
	case 4:		return bcd(now / 3600 % 24);
	case 6:		return (now / 86400 + 4) % 7 + 1;	/* 1970 began on a Thursday */
	case 7:		return bcd(day);
	case 8:		return bcd(month);
	case 9:		return bcd(year % 100);
	case REG_A:	return 0x26;	/* 32.768 kHz, no update in progress */
	case REG_B:	return B_24_HOURS;
	case REG_C:	return 0;
	case REG_D:	return D_VALID;
	case CENTURY:	return bcd(year / 100);
	default:	return c->ram[index % sizeof(c->ram)];
	}
}

static uint32_t cmos_read(void *opaque, uint16_t offset, unsigned int size)
{
	struct cmos *c = opaque;

	if (offset != 1 || size != 1)
		return ports_nothing(size);
	return cmos_register(c, c->index, time(NULL));
}

static void cmos_write(void *opaque, uint16_t offset, uint32_t value, unsigned int size)
{
	struct cmos *c = opaque;

	if (size != 1)
		return;
	if (offset == 0)
		c->index = value & 0x7f;	/* bit 7 is the NMI mask of old */
	else if (c->index > REG_D)
		c->ram[c->index] = value;
}

void cmos_init(struct cmos *c, struct ports *ports)
{
	memset(c, 0, sizeof(*c));
	ports_add(ports, &(struct ports_range){
		LAYOUT_PORT_CMOS, LAYOUT_PORT_CMOS + 1, cmos_read, cmos_write, c });
}
