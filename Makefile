# SPDX-License-Identifier: Apache-2.0
# Ultravisor: all programs, the kernel module, tests and installation.
#
#   make                 the programs, in build/bin
#   make modules         the kernel module for KDIR (default: the running kernel's headers)
#   make check           unit tests, with ASan and UBSan
#   make bench           measurements beside peers, in the test host
#   make model           every state of the model of a channel's take-over (minutes)
#   make install DESTDIR=/somewhere

PREFIX	?= /usr
ETC	?= /etc
KDIR	?= /lib/modules/$(shell uname -r)/build
KMOD_OUT ?= build/kmod/$(shell uname -r)
CC	:= gcc
AR	:= gcc-ar

WARN	:= -Wall -Wextra -Wshadow -Wimplicit-fallthrough -Werror
CPPFLAGS += -D_GNU_SOURCE -Iinclude -Iinclude/uapi -I.
CFLAGS	?= -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
LDFLAGS	+= -Wl,-z,relro,-z,now
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# program:directory. A directory's file pkgs names the pkg-config packages it needs.
PROGRAMS := uvd:uvd uvmonitor:monitor iopartd:iopartd cmdpartd:cmdpartd cmdpartctl:cmdpartctl \
	    opsd:opsd opsctl:opsctl
program	= $(firstword $(subst :, ,$1))
folder	= $(lastword $(subst :, ,$1))
FOLDERS	:= $(foreach p,$(PROGRAMS),$(if $(wildcard $(call folder,$p)/main.c),$(call folder,$p)))
LIBS	:= libchannel common
pkgs	= $(sort $(foreach d,$1,$(shell cat $d/pkgs 2>/dev/null)))

ALL_PKGS := $(call pkgs,$(FOLDERS) $(LIBS))

# ---- missing packages, by the name that apt knows
deb_libsystemd := libsystemd-dev
deb_jansson := libjansson-dev
deb_sqlite3 := libsqlite3-dev
deb_libnl-3.0 := libnl-3-dev
deb_libnl-genl-3.0 := libnl-genl-3-dev
deb_libnl-route-3.0 := libnl-route-3-dev
deb_libnftables := libnftables-dev
deb_libmicrohttpd := libmicrohttpd-dev
deb_libcurl := libcurl4-gnutls-dev
deb_liburing := liburing-dev
deb_libseccomp := libseccomp-dev
deb_libcap-ng := libcap-ng-dev
deb_smartcols := libsmartcols-dev
deb_libnbd := libnbd-dev
deb_uuid := uuid-dev
deb_cmocka := libcmocka-dev
ifeq ($(filter clean help,$(MAKECMDGOALS)),)
MISSING	:= $(foreach p,$(ALL_PKGS) cmocka,$(if $(shell pkg-config --exists $p && echo yes),,$(or $(deb_$p),$p)))
ifneq ($(strip $(MISSING)),)
$(error missing Debian packages: $(MISSING). Install them with: apt-get install $(MISSING), or all that the project needs with: scripts/deps)
endif
endif

all: $(foreach p,$(PROGRAMS),$(if $(filter $(call folder,$p),$(FOLDERS)),build/bin/$(call program,$p)))

# ---- objects: build/obj for the programs, build/san for the unit tests
sources	= $(sort $(wildcard $1/*.c))
objects	= $(patsubst %.c,build/$2/%.o,$(call sources,$1))

# embedded files: schema.sql and the like become <name>.h beside the objects
build/gen/%.sql.h: %.sql
	@mkdir -p $(@D)
	@sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< > $@
GENERATED := $(patsubst %,build/gen/%.h,$(wildcard */*.sql))
CPPFLAGS += -Ibuild/gen

define folder_rules
CFLAGS_$1 := $(if $(call pkgs,$1),$(shell pkg-config --cflags $(call pkgs,$1)))
build/obj/$1/%.o: $1/%.c | $(GENERATED)
	@mkdir -p $$(@D)
	@echo "  CC      $$<"
	@$$(CC) -std=gnu11 $$(CPPFLAGS) $$(CFLAGS) $$(WARN) $$(CFLAGS_$1) -MMD -MP -c $$< -o $$@
build/san/$1/%.o: $1/%.c | $(GENERATED)
	@mkdir -p $$(@D)
	@echo "  CC san  $$<"
	@$$(CC) -std=gnu11 $$(CPPFLAGS) $$(SANITIZE) $$(WARN) $$(CFLAGS_$1) -MMD -MP -c $$< -o $$@
endef
$(foreach d,$(FOLDERS) $(LIBS),$(eval $(call folder_rules,$d)))

build/%.a:
	@rm -f $@
	@$(AR) rcs $@ $^
$(foreach l,$(LIBS),$(eval build/$l.a: $(call objects,$l,obj))$(eval build/san/$l.a: $(call objects,$l,san)))

define program_rules
build/bin/$1: $(call objects,$2,obj) build/libchannel.a build/common.a
	@mkdir -p $$(@D)
	@echo "  LD      $1"
	@$$(CC) $$(CFLAGS) $$(LDFLAGS) $$^ -Wl,--as-needed $(if $(call pkgs,$2 $(LIBS)),$(shell pkg-config --libs $(call pkgs,$2 $(LIBS)))) -lpthread -o $$@
endef
$(foreach p,$(PROGRAMS),$(if $(filter $(call folder,$p),$(FOLDERS)),$(eval $(call program_rules,$(call program,$p),$(call folder,$p)))))

# ---- unit tests: tests/unit/FOLDER/test_*.c, linked with FOLDER's objects but its main.
# A line /* sources: FILE… */ in a test names what it links instead.
UNIT_TESTS := $(patsubst tests/%.c,build/tests/%,$(sort $(wildcard tests/unit/*/test_*.c)))
unit_folder = $(notdir $(patsubst %/,%,$(dir $1)))
unit_sources = $(shell sed -n 's@^/\* sources: \(.*\) \*/@\1@p' $1)
unit_helpers = $(filter-out $(dir $1)test_%,$(wildcard $(dir $1)*.c))

define unit_rules
$1: $2 $(call unit_helpers,$2) $(if $(call unit_sources,$2),$(call unit_sources,$2),$(filter-out %/main.o,$(if $(filter-out $(LIBS),$3),$(call objects,$3,san))) build/san/libchannel.a build/san/common.a)
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$$(CC) -std=gnu11 $$(CPPFLAGS) $$(SANITIZE) $$(WARN) $(if $(call pkgs,$3 $(LIBS)),$(shell pkg-config --cflags $(call pkgs,$3 $(LIBS)))) -MMD -MP -MF $$@.d $$(filter %.c %.o %.a,$$^) \
		$(if $(call pkgs,$3 $(LIBS)),$(shell pkg-config --libs $(call pkgs,$3 $(LIBS)))) -lcmocka -lpthread -o $$@
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rules,$t,$(patsubst build/tests/%,tests/%.c,$t),$(call unit_folder,$t))))

# ---- programs used by tests in the test host, fuzzers, benchmarks
HOST_TESTS := $(patsubst tests/%.c,build/tests/%,$(filter-out %/common.c,$(wildcard tests/host/*/*.c)))
build/tests/host/%: tests/host/%.c build/libchannel.a build/common.a
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -MF $@.d $< $(wildcard $(dir $<)common.c $(dir $<)lib/*.c $(basename $<)/*.c) \
		build/libchannel.a build/common.a -Wl,--as-needed $(if $(ALL_PKGS),$(shell pkg-config --libs $(ALL_PKGS))) -lpthread -o $@

# A program of several files has a folder of its name for the others.
build/tests/host/kmod/random: $(wildcard tests/host/kmod/random/*.[ch])

# Daemons that are killed where a test says.
HOST_TESTS += build/tests/long/uvd-crash build/tests/long/iopartd-crash
build/tests/long/uvd-crash: tests/long/crash_point.c
build/tests/long/iopartd-crash: tests/long/io_crash_point.c
define crash_rules
build/tests/long/$1-crash: $(call sources,$1) $(wildcard $1/*.h) $(GENERATED) build/libchannel.a build/common.a
	@mkdir -p $$(@D)
	@echo "  CC      $$@"
	@$$(CC) -std=gnu11 $$(CPPFLAGS) -DCRASH_POINTS $$(CFLAGS) $$(WARN) $$(CFLAGS_$1) $$(filter %.c %.a,$$^) \
		-Wl,--as-needed $(shell pkg-config --libs $(call pkgs,$1 $(LIBS))) -lpthread -o $$@
endef
$(foreach d,uvd iopartd,$(eval $(call crash_rules,$d)))

# What guests run: they have no libraries.
GUEST_TESTS := $(patsubst tests/%.c,build/tests/%,$(wildcard tests/guest/*.c))
build/tests/guest/%: tests/guest/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) -std=gnu11 -static $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -MF $@.d $< -o $@

BENCHES	:= $(patsubst tests/%.c,build/tests/%,$(wildcard tests/bench/*.c))
# The peers' headers, where scripts/deps --bench has put them.
build/tests/bench/ring: private CPPFLAGS += $(if $(wildcard build/dpdk/usr/include/dpdk),-DHAVE_DPDK_HEADERS -mssse3 \
	-isystem build/dpdk/usr/include/dpdk -isystem build/dpdk/usr/include/$(shell $(CC) -print-multiarch)/dpdk -include rte_config.h)
build/tests/bench/ring: tests/bench/ring_peers.h
build/tests/bench/%: tests/bench/%.c build/libchannel.a build/common.a
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -MF $@.d $< build/libchannel.a build/common.a -lpthread -o $@
# Those of the module share the helpers of its tests.
KMOD_BENCH_HELPERS := tests/bench/kmod/common.c tests/bench/kmod/recorder.c tests/host/kmod/common.c
KMOD_BENCHES := $(patsubst tests/%.c,build/tests/%,$(filter-out $(KMOD_BENCH_HELPERS),$(wildcard tests/bench/kmod/*.c)))
BENCHES	+= $(KMOD_BENCHES)
$(KMOD_BENCHES): build/tests/%: tests/%.c $(KMOD_BENCH_HELPERS) $(wildcard tests/bench/kmod/*.h tests/host/kmod/*.h)
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) $< $(KMOD_BENCH_HELPERS) -lpthread -lm -o $@
# That of placement decides on the drawn hosts of its unit tests.
build/tests/bench/cmdpartd/placement: tests/bench/cmdpartd/placement.c tests/unit/cmdpartd/world.c \
	$(filter-out %/main.o,$(call objects,cmdpartd,obj)) build/libchannel.a build/common.a
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) $(CFLAGS_cmdpartd) $^ \
		$(shell pkg-config --libs $(call pkgs,cmdpartd $(LIBS))) -lpthread -o $@
BENCHES	+= build/tests/bench/cmdpartd/placement
# Those of the book run uvd's own code.
BOOK_BENCHES := $(patsubst tests/%.c,build/tests/%,$(filter-out %/book.c %/peers.c,$(wildcard tests/bench/uvd/*.c)))
$(BOOK_BENCHES): build/tests/%: tests/%.c tests/bench/uvd/book.c $(filter-out %/main.o,$(call objects,uvd,obj)) \
	build/libchannel.a build/common.a | tests/bench/uvd/book.h
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) $(CFLAGS_uvd) $^ \
		$(shell pkg-config --libs $(call pkgs,uvd $(LIBS))) -lpthread -ldl -o $@
build/tests/bench/uvd/transactions: tests/bench/uvd/peers.c | tests/bench/uvd/peers.h
BENCHES	+= $(BOOK_BENCHES)
# Of a whole plan there is cmdpartd's code in one process, and uvd's, with names of its own, in another.
build/tests/bench/uvd/book.o: tests/bench/uvd/book.c tests/bench/uvd/book.h $(filter-out %/main.o,$(call objects,uvd,obj))
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) $(CFLAGS_uvd) -r $(filter %.c %.o,$^) -o $@
	@objcopy -w --keep-global-symbol='book_*' --keep-global-symbol=seconds --keep-global-symbol=quantile \
		--keep-global-symbol=median --keep-global-symbol=die $@
build/tests/bench/cmdpartd/plan: tests/bench/cmdpartd/plan.c build/tests/bench/uvd/book.o \
	$(filter-out %/main.o,$(call objects,cmdpartd,obj)) build/libchannel.a build/common.a
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) $(CFLAGS_cmdpartd) -Wl,--wrap=syscall $^ \
		$(shell pkg-config --libs $(call pkgs,cmdpartd uvd $(LIBS))) -lpthread -o $@
BENCHES	+= build/tests/bench/cmdpartd/plan

benches: $(BENCHES)

tests: all $(UNIT_TESTS) $(HOST_TESTS) $(GUEST_TESTS)

check: $(UNIT_TESTS)
	@scripts/test --unit

bench:
	@scripts/bench

model:
	@tests/model/run

modules:
	@$(MAKE) --no-print-directory -C kmod KDIR="$(KDIR)" OUT="$(CURDIR)/$(KMOD_OUT)"

# ---- installation; nothing is started, loaded or created beyond the files
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/ultravisor
	install -m 755 $(filter-out %ctl %/uvmonitor,$(wildcard build/bin/*)) $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(filter %ctl,$(wildcard build/bin/*)) $(DESTDIR)$(PREFIX)/bin
	install -m 755 build/bin/uvmonitor $(DESTDIR)$(PREFIX)/sbin
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(PREFIX)/lib/modules-load.d \
		$(DESTDIR)$(PREFIX)/lib/udev/rules.d $(DESTDIR)$(ETC)/ultravisor
	install -m 644 $(wildcard systemd/*.service systemd/*.target systemd/*.slice) $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 644 systemd/ultravisor.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/ultravisor.conf
	install -m 644 systemd/ultravisor.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/ultravisor.conf
	install -m 644 systemd/ultravisor.modules-load $(DESTDIR)$(PREFIX)/lib/modules-load.d/ultravisor.conf
	install -m 644 systemd/90-ultravisor.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/doc/ultravisor
	install -m 644 $(wildcard docs/man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(wildcard docs/man/*.8) $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 README.md CHANGELOG.md $(wildcard docs/*.md) $(DESTDIR)$(PREFIX)/share/doc/ultravisor

clean:
	rm -rf build/bin build/obj build/san build/gen build/tests build/*.a build/kmod

-include $(shell find build/obj build/san build/tests -name '*.d' 2>/dev/null)

.PHONY: all tests check bench benches model modules install clean
.DELETE_ON_ERROR:
.SECONDARY:
