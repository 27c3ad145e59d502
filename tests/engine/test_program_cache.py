# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Programs are kept once on disk, and the disk is never in the way."""

from __future__ import annotations

import os
import shutil
import sys

import numpy as np
import pytest
from engine_world import BOUND, draw_styles, eager, relative
from tiny_world import tiny_generator

from ppstyleclip import engine
from ppstyleclip.engine import compiled_layer, program_cache


@pytest.mark.slow
def test_a_program_is_exported_once_for_equal_weights(generator, tmp_path, monkeypatch):
    count = []
    export = engine.export
    monkeypatch.setattr(compiled_layer, "export", lambda *a, **k: (count.append(1), export(*a, **k)))
    styles = draw_styles(generator, 1)
    for _ in range(2):
        engine.compile_synthesis(generator, folder=tmp_path)(styles)
    assert len(count) == 1 and len(list(tmp_path.iterdir())) == 1
    other = tiny_generator(seed=5)
    picture = engine.compile_synthesis(other, folder=tmp_path)(styles)
    assert len(count) == 2
    assert relative(picture, eager(other, styles)) < BOUND / 10


def test_what_was_converted_for_one_network_serves_the_next(tmp_path, monkeypatch):
    """Paddle rewrites the source of each `forward`, which takes half of an export's time."""
    cache = sys.modules["paddle.jit.dy2static.program_translator"].FunctionCache
    convert, usual, converted = cache._convert, cache.convert_with_cache, []
    monkeypatch.setattr(cache, "_convert", lambda self, one: converted.append(one) or convert(self, one))
    assert engine.compile_synthesis(tiny_generator(3), folder=tmp_path).compile()
    converted.clear()
    assert engine.compile_synthesis(tiny_generator(4), folder=tmp_path).compile()
    assert converted == [] and len(list(tmp_path.iterdir())) == 2
    assert cache.convert_with_cache is usual  # outside of an export Paddle is as it was


@pytest.mark.slow
def test_a_damaged_program_is_exported_again(generator, tmp_path):
    styles = draw_styles(generator, 1)
    first = engine.compile_synthesis(generator, folder=tmp_path)(styles)
    weights = next(tmp_path.glob("*/*.pdiparams"))
    weights.write_bytes(weights.read_bytes()[:100])
    again = engine.compile_synthesis(generator, folder=tmp_path)
    with pytest.warns(UserWarning, match="has 100 bytes, not .*; it is made again") as said:
        assert again.compile()
    assert len(said) == 1 and np.array_equal(first, again(styles))
    assert weights.stat().st_size > 100


def refused_home(tmp_path, how):
    """A folder for programs that cannot be used."""
    home = tmp_path / "cache" / "engine"
    home.parent.mkdir()
    if how == "file":
        home.write_bytes(b"not a folder")
    elif os.name != "posix" or os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    else:
        home.parent.chmod(0o500)
    return home


@pytest.mark.parametrize("how", ["file", "read-only"])
def test_programs_go_to_a_temporary_folder_where_the_cache_cannot_be_written(generator, tmp_path, how):
    home, styles = refused_home(tmp_path, how), draw_styles(generator, 1)
    with pytest.warns(UserWarning, match="cannot be written .* set PPSTYLECLIP_HOME") as said:
        draw = engine.compile_synthesis(generator, folder=home)
        assert draw.compile()
    assert len(said) == 1
    assert relative(draw(styles), eager(generator, styles)) < BOUND / 10
    again = engine.compile_synthesis(generator, folder=home)
    assert again.compile() and np.array_equal(again(styles), draw(styles))  # found there, and not said again


def test_programs_that_are_there_are_used_where_nothing_can_be_written(generator, tmp_path, monkeypatch):
    styles = draw_styles(generator, 1)
    engine.compile_synthesis(generator, folder=tmp_path)(styles)
    monkeypatch.setattr(compiled_layer, "export", lambda *a, **k: 1 / 0)
    monkeypatch.setattr(program_cache.os, "utime", lambda *a: os.stat(tmp_path / "missing"))
    assert (
        relative(engine.compile_synthesis(generator, folder=tmp_path)(styles), eager(generator, styles))
        < 1e-4
    )


@pytest.mark.slow
def test_a_program_whose_files_are_gone_goes_on(generator, tmp_path):
    draw, styles = engine.compile_synthesis(generator, folder=tmp_path / "gone"), draw_styles(generator, 2)
    before = draw(styles)
    shutil.rmtree(tmp_path / "gone")
    engine.compile_synthesis(generator, side=8, folder=tmp_path)(draw_styles(generator, 1)[:5])
    np.testing.assert_array_equal(draw(styles), before)


@pytest.mark.slow
def test_programs_unused_for_longest_make_room(generator, tmp_path, monkeypatch):
    styles = draw_styles(generator, 1)
    for index, noise in enumerate(("const", "none")):
        engine.compile_synthesis(generator, noise=noise, folder=tmp_path)(styles)
        for place in tmp_path.iterdir():
            os.utime(place, (index + 1, index + 1))
    kept = {place.name for place in tmp_path.iterdir()}
    assert len(kept) == 2
    size = sum(file.stat().st_size for file in next(tmp_path.iterdir()).iterdir())
    monkeypatch.setattr(program_cache, "KEEP_BYTES", int(size * 1.5))
    engine.compile_synthesis(generator, side=generator.size // 2, folder=tmp_path)(styles[:5])
    left = {place.name for place in tmp_path.iterdir()}
    assert len(left) == 1 and not left & kept
