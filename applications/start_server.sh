#!/bin/sh
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
# Seed 004's start_server.sh: the server on this machine's port 8000. Options are those of `ppstyleclip serve`.
exec "${PYTHON:-python3}" -m ppstyleclip serve "$@"
