# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Regions of a picture that an edit stays in: what they are called, where they come from, how they are drawn.

A region is a soft mask, 0 where the picture stays as it is. It comes from the drawn world's own renderer, for
a face that was sampled; from 68 landmarks, for a photo; from a picture or an array; or, "auto", from where
the text itself lives.
"""

from __future__ import annotations

from ppstyleclip.regions.compose import RegionEdit, draw_edits, draw_in_batches
from ppstyleclip.regions.landmarks import masks_of_landmarks
from ppstyleclip.regions.masks import AUTO, NAMES, Region, RegionMask, check_region, load_mask, moved_masks
from ppstyleclip.regions.resolve import region_masks
from ppstyleclip.regions.sampled import SampledFaces
from ppstyleclip.regions.world import has_world, masks_of_world

__all__ = [
    "AUTO",
    "NAMES",
    "Region",
    "RegionEdit",
    "RegionMask",
    "SampledFaces",
    "check_region",
    "draw_edits",
    "draw_in_batches",
    "has_world",
    "load_mask",
    "masks_of_landmarks",
    "masks_of_world",
    "moved_masks",
    "region_masks",
]
