# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What `import ppstyleclip` offers: names, models, a generator by name or file, a model saved and opened."""

import subprocess
import sys

import numpy as np
import paddle
import pytest
from tiny_encoder import save_with_encoder
from tiny_world import live_in, save_tiny_pack, tiny_generator

import ppstyleclip
from ppstyleclip import Edit, Editor
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.zoo import load_bundle, load_pack, save_identity
from ppstyleclip.zoo.pack import DETECTOR, IDENTITY, LANDMARKS

HAPPY = Edit("face", "happy face")


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    save_with_encoder(folder)
    paddle.seed(3)
    save_identity(folder / IDENTITY, IRSE50(widths=(4, 4, 4, 4), depths=(1, 1, 1, 1), face_size=16, dim=8))
    (folder / LANDMARKS).write_bytes(b"landmarks")
    (folder / DETECTOR).write_bytes(b"detector")
    return folder


@pytest.fixture
def world(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


def test_dir_shows_what_can_be_imported():
    assert set(ppstyleclip.__all__) <= set(dir(ppstyleclip)) and "__version__" in dir(ppstyleclip)
    assert all(getattr(ppstyleclip, name) is not None for name in ppstyleclip.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Editors'"):
        ppstyleclip.Editors  # noqa: B018


def test_models_are_listed_without_paddle():
    code = "import sys, ppstyleclip; print(ppstyleclip.available_models()[:2], 'paddle' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['portrait', 'portrait-sg3'] False"


# ---- a model saved and opened


def test_a_saved_model_edits_to_the_bytes_of_the_one_it_was_saved_from(world, tmp_path):
    editor = Editor.from_pretrained()
    marks = editor.save_pretrained(tmp_path / "mine")
    again = Editor.from_pretrained(bundle=tmp_path / "mine")
    assert again.bundle.fingerprints == editor.bundle.fingerprints == marks
    assert again.bundle.name == "tiny" and again.bundle.defaults == editor.bundle.defaults
    for one, other in zip(editor.edit(editor.sample(5), HAPPY), again.edit(again.sample(5), HAPPY)):
        assert one.tobytes() == other.tobytes()
    pixels = editor.render(editor.sample([1, 2]))
    np.testing.assert_array_equal(again.invert(pixels), editor.invert(pixels))
    np.testing.assert_array_equal(again.bundle.latents, editor.bundle.latents)
    assert again.bundle.identity.config() == editor.bundle.identity.config()
    assert [path.read_bytes() for path in again.bundle.face_models] == [b"landmarks", b"detector"]


def test_saving_again_writes_the_same_bytes_and_saving_over_itself_is_fine(world, tmp_path):
    Editor.from_pretrained().save_pretrained(tmp_path / "a")
    again = Editor.from_pretrained(bundle=tmp_path / "a")
    again.save_pretrained(tmp_path / "b")
    before = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    again.save_pretrained(tmp_path / "a")
    for folder in ("a", "b"):
        assert {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} == before


def test_half_as_wide_weights_are_half_the_size_and_edit_nearly_the_same(world, tmp_path):
    editor = Editor.from_pretrained()
    editor.save_pretrained(tmp_path / "whole")
    editor.save_pretrained(tmp_path / "half", half=True)
    sizes = [(tmp_path / name / "generator.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    again = Editor.from_pretrained(bundle=tmp_path / "half")
    apart = editor.render(editor.sample(5)).astype(int) - again.render(editor.sample(5))
    assert np.abs(apart).max() <= 4


def test_what_a_model_lacks_is_told_when_it_is_saved(world, tmp_path):
    paddle.save(tiny_generator(5).state_dict(), str(tmp_path / "own.pdparams"))
    editor = Editor(
        load_bundle(weight_path=tmp_path / "own.pdparams", clip=Editor.from_pretrained().bundle.clip)
    )
    with pytest.raises(UserError, match="there is no stats file for generator 'own'"):
        editor.save_pretrained(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_a_model_without_face_models_of_its_own_is_saved_without(world, tmp_path):
    Editor(load_pack(save_tiny_pack(tmp_path / "plain"))).save_pretrained(tmp_path / "mine")
    assert not (tmp_path / "mine" / LANDMARKS).exists()
    assert not (tmp_path / "mine" / "encoder.safetensors").exists()


# ---- a generator by name or file


def weights_of(generator):
    return {key: value.numpy() for key, value in generator.state_dict().items()}


def test_a_generator_of_a_model_a_folder_and_a_file_are_the_same(world, pack, tmp_path):
    paddle.save(tiny_generator().state_dict(), str(tmp_path / "own.pdparams"))
    expected = weights_of(tiny_generator())
    for source in ("portrait", pack, str(pack / "generator.safetensors"), tmp_path / "own.pdparams"):
        generator = ppstyleclip.load_generator(source)
        assert not generator.training
        for key, value in weights_of(generator).items():
            np.testing.assert_array_equal(value, expected[key], err_msg=key)


def test_what_is_no_generator_is_told(world, tmp_path):
    (tmp_path / "text.pt").write_text("a text")
    with pytest.raises(
        MissingFile, match="no model and no file 'cats'; known models: portrait, portrait-sg3"
    ):
        ppstyleclip.load_generator("cats")
    with pytest.raises(UserError, match="text.pt"):
        ppstyleclip.load_generator(tmp_path / "text.pt")
    with pytest.raises(MissingFile, match="is not on this machine"):
        ppstyleclip.load_generator("ffhq-config-f")
