#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: no request that a guest can make of its disk crashes the device, grows the file, writes where the guest offered nothing, or survives a reset
# where: host
# timeout: 240
exec "$(dirname "$0")/../fuzz/run" iopartd_block 3000
