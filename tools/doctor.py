#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What is installed here, what is missing, and the command that brings it; which published files are here.

    python tools/doctor.py
    python tools/doctor.py --json
    python tools/doctor.py --fetch shape_predictor_68_face_landmarks.dat

Exit code 0: the embedded face can be edited. 1: it cannot.
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("doctor"))
