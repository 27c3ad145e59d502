# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders from and to files: ours, in a bundle, and those of pSp with their generator; Editor.invert."""

import numpy as np
import paddle
import pytest
from foreign_weights import encoder_checkpoint, rosinality
from tiny_encoder import LEVELS, narrow_e4e, save_with_encoder, tiny_encoder
from tiny_world import STYLE_DIM, live_in, save_tiny_pack, tiny_generator
from torch_files import save_torch_zip

from ppstyleclip.convert.encoders import Structure
from ppstyleclip.editor import Editor
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.methods.inversion.encoder import invert
from ppstyleclip.ops.area import resize_area
from ppstyleclip.pictures import to_images
from ppstyleclip.zoo import (
    encoders,
    generator_fingerprint,
    load,
    load_bundle,
    load_encoder,
    load_pack,
    registry,
    save_encoder,
    save_generator,
)
from ppstyleclip.zoo.encoders import has_encoder
from ppstyleclip.zoo.pack import ENCODER

PIXELS = np.random.RandomState(0).randint(0, 256, (3, 16, 16, 3)).astype(np.uint8)


@paddle.no_grad()
def asked(encoder, pixels, draw=None):
    """What the encoder says of pictures, in the words of methods.invert."""
    images = resize_area(paddle.to_tensor(to_images(pixels)), encoder.network.input_size)
    return invert(encoder.network, images, latent_avg=encoder.latent_avg, draw=draw).numpy()


# ---- our own files


def test_an_encoder_comes_back_as_it_was(tmp_path):
    encoder = tiny_encoder()
    save_encoder(tmp_path / "e.safetensors", encoder, generator="1" * 16)
    again, generator = load_encoder(tmp_path / "e.safetensors", name="a", generator="1" * 16)
    assert generator is None and not again.network.training
    assert again.network.config() == encoder.network.config()
    np.testing.assert_array_equal(again.latent_avg, encoder.latent_avg)
    np.testing.assert_array_equal(asked(again, PIXELS), asked(encoder, PIXELS))
    assert not has_encoder(tmp_path / "e.safetensors")  # it has no generator, so no model can be made of it


def test_half_as_wide_numbers_say_nearly_the_same(tmp_path):
    encoder = tiny_encoder()
    save_encoder(tmp_path / "e.safetensors", encoder, generator="1" * 16, half=True)
    again, _ = load_encoder(tmp_path / "e.safetensors", generator="1" * 16)
    apart = np.abs(asked(again, PIXELS) - asked(encoder, PIXELS)).max()
    assert 0 < apart < 0.01
    np.testing.assert_array_equal(again.latent_avg, encoder.latent_avg)


def spoil_weights(tensors, metadata):
    tensors["styles.0.linear.bias"] = tensors["styles.0.linear.bias"] + 1


@pytest.mark.parametrize(
    "spoil, words",
    [
        (spoil_weights, "is damaged: its weights are not those"),
        (lambda tensors, metadata: metadata.update(config="{"), "is damaged: .*config"),
        (lambda tensors, metadata: metadata.pop("config"), "is damaged: .*config"),
        (lambda tensors, metadata: metadata.update(generator="2" * 16), "2222222222222222"),
        (
            lambda tensors, metadata: metadata.update(kind="ppstyleclip mapper"),
            "not an encoder|not recognised",
        ),
    ],
)
def test_what_is_no_such_encoder_gets_one_line(tmp_path, spoil, words):
    path = tmp_path / "e.safetensors"
    save_encoder(path, tiny_encoder(), generator="1" * 16)
    tensors, metadata = read_safetensors(path)
    spoil(tensors, metadata)
    write_safetensors(path, tensors, metadata)
    with pytest.raises(UserError, match=words) as caught:
        load_encoder(path, name="a", generator="1" * 16)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_files_of_another_kind_get_one_line(tmp_path):
    with pytest.raises(MissingFile, match="there is no file"):
        load_encoder(tmp_path / "no.pt")
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(UserError, match="text.pt"):
        load_encoder(tmp_path / "text.pt")
    save_torch_zip(tmp_path / "g.pt", {"g_ema": rosinality()})
    with pytest.raises(UserError, match="g.pt: this is not an encoder but: StyleGAN2 generator"):
        load_encoder(tmp_path / "g.pt")
    assert not has_encoder(tmp_path / "g.pt")


# ---- in a bundle


def test_a_bundle_with_an_encoder_inverts_by_it(tmp_path):
    encoder = save_with_encoder(tmp_path)
    bundle = load_pack(tmp_path)
    w_plus = Editor(bundle).invert(PIXELS)
    assert w_plus.shape == (3, LEVELS, STYLE_DIM) and w_plus.dtype == np.float32
    np.testing.assert_allclose(w_plus, asked(encoder, PIXELS), atol=1e-5)
    assert np.abs(w_plus[0] - w_plus[1]).max() > 1e-3
    np.testing.assert_allclose(Editor(bundle).invert(PIXELS[1:2])[0], w_plus[1], atol=1e-5)


def test_a_bundle_without_an_encoder_gives_the_mean_latent(tmp_path):
    bundle = load_pack(save_tiny_pack(tmp_path))
    assert bundle.encoder is None
    w_plus = Editor(bundle).invert(PIXELS)
    mean = bundle.generator.mean_latent().numpy().reshape(-1)
    np.testing.assert_allclose(w_plus, np.broadcast_to(mean, (3, LEVELS, STYLE_DIM)), atol=1e-6)


def test_a_restyle_encoder_looks_at_what_the_editor_draws(tmp_path):
    encoder = save_with_encoder(tmp_path, input_channels=6)
    editor = Editor(load_pack(tmp_path))
    generator = editor.bundle.generator

    def draw(w_plus):
        return generator.synthesis_from_styles(generator.style_affine(w_plus))

    np.testing.assert_allclose(editor.invert(PIXELS), asked(encoder, PIXELS, draw), atol=1e-3)


def test_an_encoder_of_another_generator_is_refused(tmp_path):
    save_tiny_pack(tmp_path)
    save_encoder(tmp_path / ENCODER, tiny_encoder(), generator="2" * 16)
    with pytest.raises(UserError, match="2222222222222222"):
        load_pack(tmp_path).encoder  # noqa: B018


# ---- another one beside a bundle's own, by its name


def test_another_encoder_is_asked_for_by_its_name(tmp_path, monkeypatch):
    own, other, mark = save_with_encoder(tmp_path), narrow_e4e(), generator_fingerprint(tiny_generator())
    save_encoder(tmp_path / "encoder_e4e.safetensors", other, generator=mark, half=True)
    monkeypatch.setattr(registry, "PACK", tmp_path)
    for source in ({"bundle": tmp_path}, {}, {"model_type": "portrait"}):
        for name in ("e4e", tmp_path / "encoder_e4e.safetensors"):
            found = Editor.from_pretrained(**source, encoder=name).invert(PIXELS)
            np.testing.assert_allclose(found, asked(other, PIXELS), atol=0.02)
        np.testing.assert_allclose(
            Editor.from_pretrained(**source).invert(PIXELS), asked(own, PIXELS), atol=1e-5
        )
    save_generator(tmp_path / "g.safetensors", tiny_generator(), name="tiny")
    again = load_bundle(weight_path=tmp_path / "g.safetensors", model_type="portrait", encoder="e4e")
    assert again.encoder.network.config() == other.network.config()


def test_an_encoder_of_no_such_name_gets_one_line_with_the_known_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "PACK", save_tiny_pack(tmp_path / "bare"))
    with pytest.raises(
        MissingFile, match="no encoder 'e4e'; the model has none beside its own; leave it out, or give a file"
    ):
        load_bundle(encoder="e4e")
    save_with_encoder(tmp_path / "own")
    save_encoder(tmp_path / "own" / "encoder_e4e.safetensors", narrow_e4e(), generator="2" * 16)
    with pytest.raises(
        MissingFile, match="no encoder 'e4'; the model has e4e beside its own; give one of these"
    ):
        load_bundle(bundle=tmp_path / "own", encoder="e4")
    for hostile in ("../own/encoder_e4e", "", "x" * 400, "\x1b[2J", tmp_path):
        with pytest.raises(MissingFile) as caught:
            load_bundle(bundle=tmp_path / "own", encoder=hostile)
        assert len(str(caught.value)) < 300 and str(caught.value).isprintable()
    for odd in (0, True, ["e4e"], b"e4e", np.zeros(3)):  # 0 and True would be open files
        with pytest.raises(UserError, match="an encoder is a name or the path of a file, got "):
            load_bundle(encoder=odd)
    bundle = load_bundle(bundle=tmp_path / "own", encoder="e4e")
    with pytest.raises(UserError, match="was made for generator 2{16}, .*; give an encoder that was trained"):
        bundle.encoder  # noqa: B018
    # pSp's own files, which are large
    monkeypatch.setattr(encoders, "load_encoder", lambda path, **known: (tiny_encoder(), tiny_generator()))
    (tmp_path / "psp.pt").touch()
    bundle = load_bundle(bundle=tmp_path / "own", encoder=tmp_path / "psp.pt")
    with pytest.raises(UserError, match="psp.pt holds a generator of its own; give it as the weight path"):
        bundle.encoder  # noqa: B018


def test_heads_may_be_narrow_and_others_have_none(tmp_path):
    narrow, wide = narrow_e4e(), tiny_encoder(encoder_type="Encoder4Editing")
    shapes = {name: tuple(value.shape) for name, value in narrow.network.state_dict().items()}
    assert [shapes[f"styles.{k}.linear.weight"] for k in (0, 1)] == [(7, STYLE_DIM), (2, STYLE_DIM)]
    assert wide.network.state_dict()["styles.1.linear.weight"].shape == [STYLE_DIM, STYLE_DIM]
    assert "head_widths" not in wide.network.config()  # files are what they were before there were any
    with pytest.raises(UserError, match="BackboneEncoderUsingLastLayerIntoWPlus has no heads"):
        tiny_encoder(encoder_type="BackboneEncoderUsingLastLayerIntoWPlus", head_widths=(7, 2))
    with pytest.raises(UserError, match="head_widths"):
        tiny_encoder(encoder_type="Encoder4Editing", head_widths=(7,))


# ---- files of others, with their generator


@pytest.mark.slow
def test_a_published_file_is_a_model_by_itself(tmp_path, monkeypatch):
    """All of its true width, a third of a gigabyte, so by far the slowest test of this file."""
    live_in(save_tiny_pack(tmp_path / "pack"), monkeypatch, tmp_path)
    content = encoder_checkpoint(Structure("resnet34", "flat", 3, LEVELS), "ResNetBackboneEncoder")
    content["state_dict"] = {
        key: value * np.float32(0.01) if key.startswith("encoder.") else value
        for key, value in content["state_dict"].items()
    }
    save_torch_zip("encoder.pt", content)
    editor = Editor(load_bundle(weight_path="encoder.pt", size=16, style_dim=512))
    bundle = editor.bundle
    assert bundle.name == "encoder" and bundle.encoder.network.num_styles == LEVELS
    np.testing.assert_allclose(bundle.encoder.latent_avg.reshape(LEVELS, 512), content["latent_avg"])
    w_plus = editor.invert(PIXELS[:1])
    assert w_plus.shape == (1, LEVELS, 512) and np.isfinite(w_plus).all()


def test_the_flags_must_agree_with_the_generator_of_the_file(tmp_path, monkeypatch):
    live_in(save_tiny_pack(tmp_path / "pack"), monkeypatch, tmp_path)
    monkeypatch.setattr(load, "has_encoder", lambda path: True)
    monkeypatch.setattr(load, "load_encoder", lambda path: (tiny_encoder(), tiny_generator()))
    bundle = load_bundle("portrait", weight_path="mine.pt", size=16)
    assert bundle.encoder.network.num_styles == LEVELS and bundle.stats is not None
    with pytest.raises(UserError, match="mine.pt.*16|16.*mine.pt"):
        load_bundle(weight_path="mine.pt", size=32)
