#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: no contents of a guest's virtqueue make the device's walk leave the guest's memory, crash, or run for ever
# where: host
# timeout: 240
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/host/lib.sh

flags=(-std=gnu11 -g -O1 -D_GNU_SOURCE -Iinclude -Iinclude/uapi -I. -fno-sanitize-recover=all
	tests/fuzz/iopartd_virtqueue.c iopartd/virtqueue.c iopartd/memory.c libchannel/*.c -lpthread)
if command -v clang >/dev/null; then
	clang -fsanitize=fuzzer,address,undefined "${flags[@]}" -o "$tmp/virtqueue"
	mkdir "$tmp/found"
	"$tmp/virtqueue" -seed=1 -runs=500000 -timeout=5 -max_len=2048 -print_final_stats=1 \
		-artifact_prefix="$tmp/" "$tmp/found" tests/fuzz/iopartd/corpus 2>&1 | tail -n 20
else
	"${CC:-gcc}" -fsanitize=address,undefined tests/fuzz/libchannel_main.c "${flags[@]}" -o "$tmp/virtqueue"
	"$tmp/virtqueue" tests/fuzz/iopartd/corpus 150000 1
fi
