# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: models.stylegan2.channels."""

from ppstyleclip.models.stylegan2.channels import SIZES, channel_table  # noqa: F401
