# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Files of ours through `ppstyleclip convert`, to either form and back: what comes back is what went in."""

import json
import pickle
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from functools import partial

import numpy as np
import paddle
import pytest
from foreign_weights import mapper_checkpoint
from tiny_files import pack_parts, write_pack
from tiny_mappers import save_mappers
from torch_files import save_torch_zip

from ppstyleclip.cli.main import run_command
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.formats import load_arrays, load_bank, load_directions
from ppstyleclip.zoo import load_mapper, load_pack, read_relevance, read_stats, read_styles
from ppstyleclip.zoo.directions import save_stats

convert = partial(run_command, "convert")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bundle(home):
    write_pack(home / "tiny")
    return load_pack(home / "tiny")


def ways(name):
    """The file itself, converted to each form, and from there to each form again."""
    for first in ("a.safetensors", "b.pdparams"):
        assert convert([name, first]) == 0
        yield first
        for second in ("c.safetensors", "d.pdparams"):
            assert convert([first, second]) == 0
            yield second


def test_statistics(bundle, capsys):
    layout = bundle.layout
    for place in ways("tiny/statistics.safetensors"):
        stats = read_stats(place, layout, name="tiny", generator=None)
        np.testing.assert_array_equal(stats.mean, bundle.stats.mean)
        np.testing.assert_array_equal(stats.std, bundle.stats.std)
    said = capsys.readouterr().out
    assert f"{layout.size} style channels in {len(layout.channels)} layers" in said
    assert "1 layers" not in said
    assert [len(part) for part in paddle.load("b.pdparams")["mean"]] == list(layout.channels)
    again = read_stats("a.safetensors", layout, name="tiny")
    assert again.count == bundle.stats.count
    assert read_safetensors("a.safetensors")[1]["generator"] == bundle.fingerprints["generator"]


def test_statistics_that_do_not_state_their_layers(bundle, capsys):
    save_stats("flat.safetensors", bundle.stats, generator="1" * 16)
    assert convert(["flat.safetensors", "same.safetensors"]) == 0
    assert f"{bundle.layout.size} style channels (mean and std)" in capsys.readouterr().out
    assert convert(["flat.safetensors", "flat.pdparams"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not say how its" in line and "ppstyleclip statistics" in line
    arrays, metadata = read_safetensors("flat.safetensors")
    one_two = '{"names": ["a", "b"], "channels": [1, 2], "editable": [true, false]}'
    for layout, words in (
        (one_two, "it states 3 style channels"),
        ("{", "layout cannot be read: it is no JSON"),
    ):
        write_safetensors("bad.safetensors", arrays, {**metadata, "layout": layout})
        assert convert(["bad.safetensors", "x.pdparams"]) == 2
        assert words in capsys.readouterr().err


def test_styles(bundle):
    for place in ways("tiny/styles.safetensors"):
        s = read_styles(place, bundle.layout, name="tiny")
        np.testing.assert_array_equal(s, bundle.s_base)
    assert [part.shape[1] for part in load_arrays("b.pdparams")[0]] == list(bundle.layout.channels)


def test_relevance(bundle):
    whole = bundle.relevance
    for place in ways("tiny/relevance.safetensors"):
        relevance = read_relevance(place, bundle.layout, name="tiny")
        np.testing.assert_array_equal(relevance.rows, whole.rows)
    again = read_relevance("a.safetensors", bundle.layout, name="tiny")
    np.testing.assert_array_equal(again.effect_norm, whole.effect_norm)
    assert (again.clip_name, again.fingerprints, again.made_with) == (
        whole.clip_name,
        whole.fingerprints,
        whole.made_with,
    )
    assert read_safetensors("a.safetensors")[1]["defaults"] == json.dumps(vars(pack_parts()["defaults"]))
    assert load_arrays("b.pdparams")[0].shape == whole.rows.shape


@pytest.mark.parametrize("names", [("age", "smile"), ("glasses", "beard"), ("only",)])
def test_directions_of_ones_own(home, names):
    wanted = {name: np.random.RandomState(k).randn(6, 12).astype("f4") for k, name in enumerate(names)}
    wanted["all_alike"] = np.ones((1, 12), np.float32)
    write_safetensors("mine.safetensors", wanted)
    paddle.save({name: paddle.to_tensor(value) for name, value in wanted.items()}, "mine.pdparams")
    for source in ("mine.safetensors", "mine.pdparams"):
        for place in ways(source):
            found = load_directions(place)
            assert set(found) == set(wanted)
            for name, value in wanted.items():
                np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(
    "content",
    [
        {"layer.weight": np.ones((6, 12), "f4")},
        {"weight": np.ones((6, 12), "f4"), "bias": np.ones(12, "f4")},
        {"a": np.ones((6, 12), "f4"), "b": np.ones((6, 11), "f4")},
        {"a": np.ones((6, 12), "f4"), "b": np.ones((5, 12), "f4")},
        {"a": np.ones((6, 12), int)},
    ],
)
def test_what_could_be_anything_is_not_taken_for_directions(home, content, capsys):
    write_safetensors("x.safetensors", content)
    assert convert(["x.safetensors", "y.safetensors"]) == 2
    assert "was not recognised" in capsys.readouterr().err


@pytest.fixture
def mappers(home):
    write_pack(home / "tiny")
    return save_mappers(home / "tiny")


def same(left, right):
    for word in ("config", "scale", "space", "texts", "embed", "prompts"):
        assert getattr(left, word) == getattr(right, word), word
    assert {k: np.array(v).tolist() for k, v in left.made_for.items()} == {
        k: np.array(v).tolist() for k, v in right.made_for.items()
    }
    assert (left.words is None) == (right.words is None)
    if left.words is not None:
        np.testing.assert_array_equal(left.words, right.words)
    mine, theirs = left.network.state_dict(), right.network.state_dict()
    assert list(mine) == list(theirs)
    for key, value in mine.items():
        np.testing.assert_array_equal(value.numpy(), theirs[key].numpy())


def there_and_back(name):
    """The file as `.pdparams`, and from there as safetensors."""
    assert convert([name, "b.pdparams"]) == 0 and convert(["b.pdparams", "c.safetensors"]) == 0
    return "b.pdparams", "c.safetensors"


def test_mappers_of_every_kind(home, mappers, capsys):
    for name in mappers:
        path = f"tiny/mappers/{name}.safetensors"
        for place in there_and_back(path):
            same(load_mapper(place), load_mapper(path))
    assert "a latent mapper of ours" in capsys.readouterr().out


def test_a_published_mapper_comes_back_from_pdparams(home):
    save_torch_zip("afro.pt", mapper_checkpoint(["mapping"], [512] * 5, description="a face with an afro"))
    for place in there_and_back("afro.pt"):
        mapper = load_mapper(place)
        same(mapper, load_mapper("afro.pt"))
        assert mapper.texts == ("a face with an afro",)


def test_a_damaged_mapper_in_pdparams_is_told(home, mappers, capsys):
    assert convert(["tiny/mappers/smile.safetensors", "x.pdparams"]) == 0
    content = load_arrays("x.pdparams")[0]
    key = next(name for name, value in content.items() if isinstance(value, np.ndarray))
    with open("x.pdparams", "wb") as file:
        pickle.dump({**content, key: content[key] + 1}, file)
    assert convert(["x.pdparams", "y.safetensors"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "x.pdparams is damaged: its weights are not those it was written with" in line


@pytest.mark.parametrize("shape", [(6, 12), (1, 6, 12), (3, 6, 12)])
def test_latents(home, capsys, shape):
    w_plus = np.random.RandomState(0).randn(*shape).astype(np.float32)
    np.save("bank.npy", w_plus)
    for place in ways("bank.npy"):
        np.testing.assert_array_equal(load_bank(place), w_plus.reshape(-1, 6, 12))
    faces = "3 faces" if shape[0] == 3 else "1 face"
    assert f"bank.npy: latents w_plus of {faces}, 6 layers of 12" in capsys.readouterr().out
    assert convert(["b.pdparams", "again.npy"]) == 0
    np.testing.assert_array_equal(np.load("again.npy"), w_plus)
    assert list(paddle.load("b.pdparams").shape) == list(shape)


def test_latents_keep_the_generator_that_they_state(bundle):
    assert convert(["tiny/latents.safetensors", "a.safetensors"]) == 0
    assert read_safetensors("a.safetensors")[1]["generator"] == bundle.fingerprints["generator"]
    np.testing.assert_array_equal(load_bank("a.safetensors"), bundle.latents)


def test_what_is_one_array_may_be_a_npy(bundle, capsys):
    assert convert(["tiny/relevance.safetensors", "fs3.npy"]) == 0
    np.testing.assert_array_equal(np.load("fs3.npy"), bundle.relevance.rows)
    np.testing.assert_array_equal(
        read_relevance("fs3.npy", bundle.layout, name="tiny").rows, bundle.relevance.rows
    )
    assert convert(["tiny/styles.safetensors", "s.npy"]) == 0
    np.testing.assert_array_equal(np.load("s.npy"), bundle.s_base)
    capsys.readouterr()
    assert convert(["tiny/statistics.safetensors", "stats.npy"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "a .npy holds one array, and these are statistics" in line
