#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: no contents of a guest's virtqueue make the device's walk leave the guest's memory, crash, or run for ever
# where: host
# timeout: 240
exec "$(dirname "$0")/../fuzz/run" iopartd_virtqueue 300000
