#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: no words that a hostile peer can write make a packet ring crash, hang, or return what its contract does not name
# where: host
# timeout: 240
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/host/lib.sh

flags=(-std=gnu11 -g -O1 -D_GNU_SOURCE -Iinclude -Iinclude/uapi -I. -fno-sanitize-recover=all
	tests/fuzz/libchannel_packet.c libchannel/*.c -lpthread)
if command -v clang >/dev/null; then
	clang -fsanitize=fuzzer,address,undefined "${flags[@]}" -o "$tmp/packet"
	mkdir "$tmp/found"
	"$tmp/packet" -seed=1 -runs=150000 -timeout=5 -max_len=1024 -print_final_stats=1 \
		-artifact_prefix="$tmp/" "$tmp/found" tests/fuzz/libchannel/corpus 2>&1 | tail -n 20
else
	"${CC:-gcc}" -fsanitize=address,undefined tests/fuzz/libchannel_main.c "${flags[@]}" -o "$tmp/packet"
	"$tmp/packet" tests/fuzz/libchannel/corpus 150000 1
fi
