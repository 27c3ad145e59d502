# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Trained mappers as files: what is written is what is read, and what does not belong is refused."""

import numpy as np
import paddle
import pytest
from tiny_world import tiny_clip

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.zoo import TrainedMapper, load_bundle, load_mapper, save_mapper
from ppstyleclip.zoo.published_mappers import bundle_mappers, find_mapper
from ppstyleclip.zoo.registry import PACK

LEVELS = {"mapper_type": "LevelsMapper", "style_dim": 6, "levels": [2, 2, 2]}
MULTI = {**LEVELS, "mode": "Mapper_multi"}
CAT = {**LEVELS, "mode": "Mapper_cat", "text_dim": 16}
STYLES = {"mapper_type": "WithoutToRGBStyleSpaceMapper", "style_dims": [4, 3, 4]}
WORDS = np.random.RandomState(0).randn(3, 6).astype(np.float32)


def made(config, **parts):
    paddle.seed(5)
    network = build_mapper(config)
    network.eval()
    return TrainedMapper(network, config, **parts)


def multi():
    return made(
        MULTI,
        texts=("happy", "sad", "long"),
        words=WORDS,
        embed="table",
        made_for={"generator": "g" * 16, "clip": "c" * 16},
    )


@pytest.mark.parametrize(
    "mapper, latent, vector",
    [
        (made(LEVELS, texts=("happy face",)), [2, 6, 6], None),
        (made(LEVELS, scale=1.0), [1, 6, 6], None),
        (multi(), [2, 6, 6], WORDS[:1]),
        (made(STYLES, space="s", texts=("sad",)), [2, 11], None),
    ],
)
def test_what_is_written_is_what_is_read(tmp_path, mapper, latent, vector):
    latent = np.random.RandomState(1).randn(*latent).astype(np.float32)
    mark = save_mapper(tmp_path / "m.safetensors", mapper)
    found = load_mapper(tmp_path / "m.safetensors")
    assert len(mark) == 16 and save_mapper(tmp_path / "n.safetensors", found) == mark
    for name in ("config", "scale", "space", "texts", "embed", "made_for"):
        assert getattr(found, name) == getattr(mapper, name)
    step = found.step(latent, vector)
    np.testing.assert_array_equal(step, mapper.step(latent, vector))
    assert step.shape == latent.shape and np.abs(step).max() > 0 and not found.network.training


def test_the_step_is_scaled():
    latent = np.ones([1, 6, 6], np.float32)
    np.testing.assert_allclose(
        made(LEVELS, scale=1.0).step(latent), 10 * made(LEVELS).step(latent), rtol=1e-6
    )


def test_half_floats_take_half_the_room(tmp_path):
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save_mapper(whole, multi())
    mark = save_mapper(half, multi(), half=True)
    assert half.stat().st_size < 0.7 * whole.stat().st_size
    latent = np.ones([1, 6, 6], np.float32)
    np.testing.assert_allclose(
        load_mapper(half).step(latent, WORDS[:1]), multi().step(latent, WORDS[:1]), rtol=0.02, atol=1e-3
    )
    assert save_mapper(half, load_mapper(half)) == mark


def test_text_vectors():
    mapper = multi()
    np.testing.assert_array_equal(mapper.text_vector("sad"), WORDS[1:2])
    np.testing.assert_allclose(mapper.text_vector(["happy", "long"]), WORDS[:1] + WORDS[2:], rtol=1e-6)
    assert made(LEVELS).text_vector("anything") is None
    clip = tiny_clip()
    by_clip = made(CAT, texts=("sad face",), words=np.full([1, 16], 2, np.float32), embed="clip")
    assert (by_clip.text_vector("sad face") == 2).all()
    np.testing.assert_allclose(
        by_clip.text_vector("happy face", clip)[0], clip.encode_text(["happy face"]).numpy()[0], rtol=1e-6
    )


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: multi().text_vector("angry"), "does not know 'angry'; it knows: happy, sad, long"),
        (lambda: multi().text_vector([]), "needs a text; it knows: happy, sad, long"),
        (lambda: made(CAT, embed="clip").text_vector("angry"), "a CLIP is needed"),
        (lambda: multi().step(np.zeros([1, 6, 6])), "needs a text vector"),
        (lambda: made(LEVELS).step(np.zeros([1, 5, 6])), "w_plus has 5 layers, this mapper 6"),
    ],
)
def test_what_does_not_fit_is_one_line(call, words):
    with pytest.raises(UserError, match=words):
        call()


def test_another_generator_or_clip_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    save_mapper(path, multi())
    assert load_mapper(path, generator="g" * 16, clip="c" * 16).texts == ("happy", "sad", "long")
    with pytest.raises(UserError, match="trained for generator g{16}, but this is generator x{16}"):
        load_mapper(path, generator="x" * 16)
    with pytest.raises(UserError, match="trained for clip c{16}, but this is clip x{16}"):
        load_mapper(path, clip="x" * 16)


def test_damaged_files_are_one_line(tmp_path):
    path = tmp_path / "m.safetensors"
    with pytest.raises(MissingFile):
        load_mapper(path)
    write_safetensors(path, {"a": np.zeros(2, np.float32)})
    with pytest.raises(UserError, match="is not a mapper"):
        load_mapper(path)
    save_mapper(path, multi())
    tensors, metadata = read_safetensors(path)
    for change, words in [
        ({"config": "{"}, "is damaged"),
        ({"mapper": "{}"}, "is damaged: mapper.scale is missing"),
        ({"config": '{"mapper_type": "x"}'}, "unknown mapper_type 'x'"),
    ]:
        write_safetensors(path, tensors, {**metadata, **change})
        with pytest.raises(UserError, match=words):
            load_mapper(path)
    write_safetensors(path, {**tensors, "words": WORDS + 1}, metadata)
    with pytest.raises(UserError, match="not those it was written with"):
        load_mapper(path)


PACKS = {
    "beard": "face with a beard",
    "curly": "face with curly hair",
    "happy": "happy face",
    "words": "face with glasses",
}


@pytest.mark.parametrize("name", PACKS)
def test_the_packs_mappers_are_for_the_pack(name):
    bundle = load_bundle(None)
    path = PACK / f"mapper_{name}.safetensors"
    mapper = load_mapper(path, generator=bundle.fingerprints["generator"])  # one for one text needs no CLIP
    assert path.stat().st_size < 4.2e5 and PACKS[name] in mapper.texts
    assert (mapper.embed == "none") == (len(mapper.texts) == 1)
    vector = mapper.text_vector(PACKS[name])
    step = mapper.step(bundle.latents, vector)
    assert step.shape == bundle.latents.shape and 0.05 < np.sqrt(np.mean(step**2)) < 2


@pytest.mark.parametrize("name", PACKS)
def test_the_packs_mappers_have_names(name):
    assert list(bundle_mappers(PACK)) == list(PACKS)
    assert find_mapper(name, PACK) == PACK / f"mapper_{name}.safetensors"
    with pytest.raises(
        MissingFile, match="there is no mapper 'sad'; the bundle has beard, curly, happy, words; give a"
    ):
        find_mapper("sad", PACK)


def test_mappers_beside_a_bundle_and_in_its_folder(tmp_path):
    (tmp_path / "mappers").mkdir()
    for place in ("mapper_a.safetensors", "mapper_b.safetensors", "mappers/b.safetensors", "mapper_c.txt"):
        (tmp_path / place).write_bytes(b"")
    places = {"a": tmp_path / "mapper_a.safetensors", "b": tmp_path / "mappers" / "b.safetensors"}
    assert bundle_mappers(tmp_path) == places and bundle_mappers(None) == {}
