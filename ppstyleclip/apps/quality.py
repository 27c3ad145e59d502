# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Another name of what is in pipelines.quality."""

from ppstyleclip.pipelines.quality import psnr  # noqa: F401  alias until the sweep
