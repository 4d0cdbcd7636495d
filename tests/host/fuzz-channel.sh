#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: no words that a hostile peer can write make a packet ring crash, hang, or return what its contract does not name
# where: host
# timeout: 240
exec "$(dirname "$0")/../fuzz/run" libchannel_packet 150000
