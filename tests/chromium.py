# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The browser of tests: a headless Chromium, by Playwright."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def launch(playwright: Any) -> Any:
    """Start the Chromium that PPSTYLECLIP_CHROMIUM names, or the system's, or Playwright's own; skip else."""
    path = os.environ.get("PPSTYLECLIP_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    try:
        return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    except Exception as error:  # Playwright's own Error is of the library that may be missing
        pytest.skip(f"there is no Chromium ({str(error).splitlines()[0]})")
