#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: nothing that a guest can send, offer to receive into or command its network card crashes the device, writes where the guest offered nothing, or survives a reset
# where: host
# timeout: 240
exec "$(dirname "$0")/../fuzz/run" iopartd_network 3000
