# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: models.forms.prefix_drawing_of(generator), PrefixState and CachedConvolution."""

from __future__ import annotations

from ppstyleclip.models import forms
from ppstyleclip.models.forms import prefix_drawing_of
from ppstyleclip.models.generator import CachedConvolution as Opened
from ppstyleclip.models.generator import PrefixState as Stage


def first_stage(generator, count):
    return prefix_drawing_of(generator).initial_state(count)


def advance(generator, stage, style):
    return prefix_drawing_of(generator).run_layer(stage, style)


def finish(generator, stage, styles):
    return prefix_drawing_of(generator).run_remaining(stage, styles)


def open_layer(generator, stage, style):
    return prefix_drawing_of(generator).cache_convolution(stage, style)


def count_tensors(generator, side=None):
    return forms.count_tensors(prefix_drawing_of(generator), side)


def work_from(generator, k, end=None):
    return prefix_drawing_of(generator).work(k, end)


def stage_bytes(generator, k):
    return prefix_drawing_of(generator).state_bytes(k)


def opened_bytes(generator, k):
    drawing = prefix_drawing_of(generator)
    return drawing.cached_bytes(k) if k in drawing.cacheable else float("inf")


def take(stage, index):
    return stage.index_select(index)


join, join_opened = Stage.concat, Opened.concat
