# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Bundles and packs: parts come back as they were, load when asked for, and do not mix."""

import json
import shutil
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import numpy as np
import paddle
import pytest
from tiny_files import pack_parts, write_pack
from tiny_world import WORDS, tiny_clip, tiny_generator, tiny_measurements, tiny_parts

from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors
from ppstyleclip.models.stylegan2 import layout_from_channels
from ppstyleclip.zoo import Bundle, Deferred, clip_fingerprint, generator_fingerprint, load_pack


def one_line(error):
    assert "\n" not in str(error.value) and len(str(error.value)) < 500
    return str(error.value)


@pytest.fixture(scope="module")
def parts():
    return pack_parts()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    return folder, write_pack(folder)


@pytest.fixture
def pack(written, tmp_path):
    """(folder, fingerprints) of a pack that the test may damage."""
    shutil.copytree(written[0], tmp_path / "pack")
    return tmp_path / "pack", written[1]


def tiny_bundle(**parts):
    generator, layout, stats, relevance, clip = tiny_parts()
    own = {
        "name": "tiny",
        "generator": generator,
        "layout": layout,
        "stats": stats,
        "relevance": relevance,
        "clip": clip,
    }
    return Bundle(**{**own, **parts})


def test_deferred_parts_are_loaded_once_and_when_asked_for():
    loaded = []

    def load_later():
        loaded.append(1)
        return tiny_clip()

    bundle = tiny_bundle(clip=Deferred(load_later))
    other = bundle.with_parts(name="other")
    assert (bundle.name, other.name, loaded) == ("tiny", "other", [])
    assert bundle.clip is bundle.clip and loaded == [1]
    assert not hasattr(bundle, "nonsense") and bundle.s_base is None


def test_wrong_pairs_are_refused():
    layout = tiny_generator().layout
    other = layout_from_channels(16, {4: 8, 8: 8, 16: 4})
    stats, relevance = tiny_measurements(other)
    for part in ({"stats": stats}, {"stats": Deferred(lambda: stats)}):
        words = rf"\[{other.size}\].*{layout.size} style channels.*ppstyleclip statistics"
        with pytest.raises(UserError, match=words):
            tiny_bundle(**part).stats  # noqa: B018
    for part in ({"relevance": relevance}, {"relevance": Deferred(lambda: relevance)}):
        words = f"{other.num_editable} rows.*'tiny' has {layout.num_editable} editable.*ppstyleclip relevance"
        with pytest.raises(UserError, match=words) as error:
            tiny_bundle(**part).relevance  # noqa: B018
        one_line(error)


def test_the_official_prefix_is_named():
    layout = tiny_generator().layout
    _, relevance = tiny_measurements(layout)
    first = sum(width for width, yes in zip(layout.channels[:4], layout.editable[:4]) if yes)
    with pytest.raises(UserError, match=f"{first} rows .only the first 3 of 5 layers."):
        tiny_bundle(relevance=relevance[:first])


def test_relevance_of_a_clip_of_another_width_is_refused():
    _, relevance = tiny_measurements(tiny_generator().layout, dim=20)
    with pytest.raises(UserError, match="20 columns, CLIP '.*' gives 16"):
        tiny_bundle(relevance=relevance)
    late = tiny_bundle(relevance=Deferred(lambda: relevance))
    with pytest.raises(UserError, match="20 columns"):
        late.relevance  # noqa: B018


def test_a_pack_goes_round(pack, parts):
    folder, marks = pack
    bundle = load_pack(folder)
    assert bundle.name == "tiny" and bundle.defaults == parts["defaults"] and bundle.fingerprints == marks
    assert marks == {
        "generator": generator_fingerprint(parts["generator"]),
        "clip": clip_fingerprint(parts["clip"]),
    }
    assert generator_fingerprint(bundle.generator) == marks["generator"]
    assert clip_fingerprint(bundle.clip) == marks["clip"]
    assert bundle.clip.vocabulary == frozenset(WORDS) and bundle.stats.count == 100
    assert bundle.relevance.clip_name == parts["clip"].name and bundle.relevance.fingerprints == marks
    assert (bundle.relevance.effect_norm == np.float32(parts["strength"])).all()
    for name in ("relevance", "s_base", "latents"):
        value = np.asarray(getattr(bundle, name))
        assert value.dtype == np.float32 and (value == np.float32(parts[name])).all()
    assert (bundle.stats.mean == parts["stats"].mean).all() and (bundle.stats.std == parts["stats"].std).all()
    text = ["a happy face"]
    np.testing.assert_allclose(
        bundle.clip.encode_text(text).numpy(), parts["clip"].encode_text(text).numpy(), atol=1e-6
    )


def test_a_pack_is_the_same_bytes_each_time(pack, tmp_path):
    write_pack(tmp_path / "again")
    for path in pack[0].iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_a_half_pack_is_smaller_and_reads_as_float32(pack, tmp_path):
    folder, _ = pack
    write_pack(tmp_path / "half", half=True)
    for name in ("generator.safetensors", "clip.safetensors"):
        assert (tmp_path / "half" / name).stat().st_size < 0.7 * (folder / name).stat().st_size
    whole, bundle = load_pack(folder), load_pack(tmp_path / "half")
    kinds = {
        f"{name}.{key}": array.dtype.str
        for name in ("relevance", "latents", "styles", "statistics")
        for key, array in read_safetensors(tmp_path / "half" / f"{name}.safetensors")[0].items()
    }
    assert {key for key, kind in kinds.items() if kind == "<f2"} == {"relevance.relevance", "latents.w_plus"}
    for kept, rounded in ((whole.relevance.rows, bundle.relevance.rows), (whole.latents, bundle.latents)):
        assert rounded.dtype == np.float32
        np.testing.assert_array_equal(rounded, kept.astype(np.float16))
    np.testing.assert_array_equal(bundle.relevance.effect_norm, whole.relevance.effect_norm)
    assert bundle.clip.dim == 16
    assert all(value.dtype == paddle.float32 for value in bundle.generator.state_dict().values())
    again = write_pack(tmp_path / "twice", half=True, generator=bundle.generator, clip=bundle.clip)
    assert again == bundle.fingerprints  # rounding twice changes nothing


def test_a_w_of_all_layers_is_stored_once(tmp_path):
    w = np.random.RandomState(3).randn(3, 1, 12).astype(np.float32)
    for folder, latents in (("same", np.repeat(w, 6, axis=1)), ("single", w)):
        write_pack(tmp_path / folder, latents=latents)
        path = tmp_path / folder / "latents.safetensors"
        assert read_safetensors(path)[0]["w_plus"].shape == (3, 1, 12)
        np.testing.assert_array_equal(load_pack(tmp_path / folder).latents, np.repeat(w, 6, axis=1))


def test_a_vocabulary_can_be_given(tmp_path):
    write_pack(tmp_path / "more", vocabulary=["face", "gold"])
    clip = load_pack(tmp_path / "more").clip
    assert clip.vocabulary == frozenset(["face", "gold"]) and clip.unknown_words("sad face") == ["sad"]


def test_sampling_from_a_pack_needs_the_generator_alone(pack):
    folder = pack[0]
    for name in ("clip", "statistics", "relevance", "styles", "latents"):
        (folder / f"{name}.safetensors").unlink()
    bundle = load_pack(folder)
    assert bundle.generator.size == 16 and bundle.latents is None and bundle.s_base is None
    for part, maker in (("stats", "ppstyleclip statistics"), ("relevance", "ppstyleclip relevance")):
        with pytest.raises(FileNotFoundError, match=f"has no .* yet.*{maker} --bundle {folder}"):
            getattr(bundle, part)


def test_a_folder_without_a_generator_is_no_bundle(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no generator.safetensors.*ppstyleclip convert"):
        load_pack(tmp_path)


def test_parts_of_two_packs_do_not_mix(pack, tmp_path):
    folder, marks = pack
    other = write_pack(tmp_path / "other", generator=tiny_generator(seed=8), clip=tiny_clip(seed=9))
    assert other["generator"] != marks["generator"] and other["clip"] != marks["clip"]
    for name in ("generator", "clip"):
        mixed = tmp_path / f"mixed-{name}"
        mixed.mkdir()
        for path in folder.iterdir():
            source = tmp_path / "other" / path.name if path.stem == name else path
            (mixed / path.name).write_bytes(source.read_bytes())
        asked = ("stats", "relevance", "s_base", "latents") if name == "generator" else ("clip",)
        for part in asked:
            with pytest.raises(UserError, match=f"{marks[name]}.*{other[name]}") as error:
                getattr(load_pack(mixed), part)
            assert f"made for {name}" in one_line(error) and "ppstyleclip relevance" in one_line(error)


@pytest.mark.parametrize("name, part", [("generator", None), ("clip", "clip")])
def test_damaged_weights_are_noticed(pack, name, part):
    path = pack[0] / f"{name}.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1  # one bit of one weight
    path.write_bytes(data)
    with pytest.raises(UserError, match=f"{name}.safetensors is damaged"):
        getattr(load_pack(pack[0]), part or "generator")


def test_metadata_is_json_that_others_can_read(pack):
    _, metadata = read_safetensors(pack[0] / "generator.safetensors")
    assert json.loads(metadata["config"])["size"] == 16 and metadata["kind"] == "ppstyleclip generator"
    _, metadata = read_safetensors(pack[0] / "clip.safetensors")
    assert json.loads(metadata["config"])["vocabulary"] == sorted(WORDS)
