# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Whatever has happened to a program on the disk: the picture is right, and the program is made again."""

from __future__ import annotations

import shutil
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from damaged_programs import (
    DAMAGES,
    MANIFEST,
    MODEL,
    WEIGHTS,
    add_operator,
    flip,
    manifest_with,
    sign,
)
from engine_world import draw_styles, eager
from tiny_world import tiny_generator

from ppstyleclip import engine
from ppstyleclip.engine import compiled_layer, exporter, manifest, predictor, program_cache
from ppstyleclip.pictures import to_pixels

_QUICK_DAMAGES = [
    "program: cut by four bytes",
    "program: a page of HTML",
    "parameters: one bit flipped",
    "parameters: gone",
    "manifest: another key",
    "manifest: a size is text",
    "all of another generator, with its manifest",
    "a loop of links",
]


def _mostly_slow(cases, quick):
    """All cases are tested, a few of them in the quick suite."""
    assert set(quick) <= set(cases)
    return [case if case in quick else pytest.param(case, marks=pytest.mark.slow) for case in cases]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A generator whose program is on the disk, what it draws, and a program of one with other weights."""
    if not exporter.writes_legacy_ir():
        pytest.skip("these files are of Paddle's legacy IR")
    generator, home = tiny_generator(), tmp_path_factory.mktemp("kept")
    styles = draw_styles(generator, 1)
    engine.compile_synthesis(generator, folder=home)(styles)
    [place] = home.iterdir()
    other = shutil.copytree(place, tmp_path_factory.mktemp("other") / place.name)
    for where in (0.2, 0.5, 0.8):
        flip(other / WEIGHTS, where)
    manifest_with(key="1" * 64)(other, None)
    sign(other)
    picture = to_pixels(eager(generator, styles))
    return SimpleNamespace(
        generator=generator, styles=styles, picture=picture, home=home, place=place, other=other
    )


@pytest.fixture
def home(kept, tmp_path, monkeypatch):
    """A cache with the first program in it. An export, which takes a second, copies what the first one wrote.

    Attributes: `path`, `place` of the program, `exports` so far.
    """
    home = SimpleNamespace(path=tmp_path / "home", exports=0)
    shutil.copytree(kept.home, home.path)
    home.place = home.path / kept.place.name

    def export(layer, shapes, folder, **options):
        home.exports += 1
        for name in (MODEL, WEIGHTS):
            shutil.copy(kept.place / name, folder)

    monkeypatch.setattr(compiled_layer, "export", export)
    return home


def assert_draws_rightly(kept, home, *, lines):
    """In a new process, as far as the cache can tell."""
    manifest._SEEN.clear()
    draw = engine.compile_synthesis(kept.generator, folder=home.path)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        drawn = to_pixels(draw(kept.styles))
    assert draw.compile()
    assert np.abs(drawn.astype(int) - kept.picture.astype(int)).max() <= 1
    assert len(said) == lines and all("\n" not in str(line.message) for line in said)


def assert_is_made_again(kept, home):
    assert_draws_rightly(kept, home, lines=1)
    assert home.exports == 1
    for name in (MODEL, WEIGHTS):
        assert (home.place / name).read_bytes() == (kept.place / name).read_bytes()
    assert [path.name for path in home.path.iterdir()] == [home.place.name]
    assert_draws_rightly(kept, home, lines=0)
    assert home.exports == 1


def test_a_whole_program_is_not_made_again(kept, home):
    assert_draws_rightly(kept, home, lines=0)
    assert home.exports == 0


@pytest.mark.parametrize("damage", _mostly_slow(DAMAGES, _QUICK_DAMAGES))
def test_a_damaged_program_is_made_again(kept, home, damage):
    DAMAGES[damage](home.place, kept.other)
    assert_is_made_again(kept, home)


OPERATORS = {
    "save": {"file_path": "written"},
    "save_combine": {"file_path": "written"},
    "load": {"file_path": "written"},
    "load_combine": {"file_path": "written"},
    "py_func": {},
    "print": {"message": "hello"},
    "while": {},
    "conditional_block": {},
    "run_program": {},
    "save_grad": {"file_path": "written"},
    "conv2d_save": {},
    "no_such_operator": {},
    "": {},
}


@pytest.mark.parametrize("kind", _mostly_slow(OPERATORS, ["save"]))
def test_a_crafted_program_is_refused_and_made_again(kept, home, tmp_path, kind):
    add_operator(home.place, kind, **{name: str(tmp_path / text) for name, text in OPERATORS[kind].items()})
    with pytest.raises(manifest.Unlisted, match="not among those that are known only to compute"):
        manifest.check_program(home.place)
    assert_is_made_again(kept, home)
    assert not (tmp_path / "written").exists()


def test_a_copied_cache_is_used(kept, home, tmp_path):
    """Times of change are not those of the manifest any more; the digests are."""
    for path in home.place.iterdir():
        path.touch()
    assert_draws_rightly(kept, home, lines=0)
    assert home.exports == 0


@pytest.mark.parametrize("name", _mostly_slow([MODEL, WEIGHTS, MANIFEST], [WEIGHTS]))
def test_digests_are_compared_once_and_after_a_change(kept, home, monkeypatch, name):
    read = []
    describe = manifest._describe
    monkeypatch.setattr(manifest, "_describe", lambda path: read.append(path.name) or describe(path))
    manifest._SEEN.clear()
    for _ in range(3):
        engine.compile_synthesis(kept.generator, folder=home.path).compile()
    assert sorted(read) == [WEIGHTS, MODEL]
    (home.place / name).touch()
    engine.compile_synthesis(kept.generator, folder=home.path).compile()
    assert sorted(read[2:]) == [WEIGHTS, MODEL]


def test_a_program_that_was_damaged_since_is_not_loaded_again(kept, home):
    """A program that has run is loaded again when others were loaded; the one in memory goes on instead."""
    draw = engine.compile_synthesis(kept.generator, folder=home.path)
    before = draw(kept.styles)
    flip(home.place / WEIGHTS)
    engine.compile_synthesis(tiny_generator(seed=5), folder=home.path).compile()
    np.testing.assert_array_equal(draw(kept.styles), before)


def test_a_program_that_another_process_has_mended_meanwhile_is_kept(kept, home, monkeypatch):
    """It was damaged when it was looked at, and whole when it was to be thrown away."""
    flip(home.place / WEIGHTS)
    discard = program_cache.discard

    def mend_and_discard(place):
        shutil.copy(kept.place / WEIGHTS, place / WEIGHTS)
        return discard(place)

    monkeypatch.setattr(program_cache, "discard", mend_and_discard)
    identity = (home.place / MODEL).stat().st_ino
    assert_draws_rightly(kept, home, lines=1)
    assert (home.place / MODEL).stat().st_ino == identity


def test_a_program_that_paddle_does_not_load_is_made_again(kept, home, monkeypatch):
    """Though it is as it was written."""
    create, failed = predictor.inference.create_predictor, []

    def fail_once(config):
        if not failed:
            failed.append(1)
            raise RuntimeError("(NotFound) no kernel")
        return create(config)

    monkeypatch.setattr(predictor.inference, "create_predictor", fail_once)
    (home.place / "old").write_bytes(b"")
    assert_is_made_again(kept, home)
    assert not (home.place / "old").exists()
