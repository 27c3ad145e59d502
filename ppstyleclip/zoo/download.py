# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The former name of zoo.downloads.cache."""

import sys

from ppstyleclip.zoo.downloads.cache import __name__ as _name

sys.modules[__name__] = sys.modules[_name]  # alias until the sweep
