#!/bin/sh
# SPDX-License-Identifier: MIT
# Make configure from a checkout.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force --warnings=all,no-obsolete
