# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Every network as ONNX, run by onnxruntime, against the Layer itself."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from tiny_encoder import tiny_encoder
from tiny_mappers import save_mappers
from tiny_world import CLIP, STYLE_DIM, tiny_parts

from ppstyleclip.engine.exporter import trace_legacy
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.export import PARTS, build_parts
from ppstyleclip.export.onnx import graph, to_onnx
from ppstyleclip.models.clip import build_clip, tokenize
from ppstyleclip.models.encoders import build_encoder
from ppstyleclip.models.encoders.published import PUBLISHED
from ppstyleclip.models.stylegan3 import StyleGAN3Generator
from ppstyleclip.zoo import Bundle, Encoder

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
TOLERANCE = 1e-4  # of numbers about 1


@pytest.fixture(scope="module")
def bundle():
    generator, layout, stats, relevance, clip = tiny_parts()
    return Bundle("tiny", generator, layout, stats, relevance, clip, encoder=tiny_encoder())


def converted(part, **options):
    return to_onnx(trace_legacy(part.layer, part.inputs), part.inputs, (part.output,), **options)


def session_of(data):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def feed(part, count, seed=0):
    """Inputs of a batch: normal numbers, or tokens of prompts of several lengths."""
    random = np.random.RandomState(seed)
    prompts = ["face", "a happy face", "a photo of the sad face with long hair", "hair"]
    return {
        name: padded(tokenize(prompts)[:count], shape[1])
        if dtype == "int64"
        else random.standard_normal([count if side < 0 else side for side in shape]).astype(np.float32)
        for name, (shape, dtype) in part.inputs.items()
    }


def padded(tokens, length):
    return np.pad(tokens, [(0, 0), (0, length - tokens.shape[1])]).astype(np.int64)


def by_layer(part, arrays):
    with paddle.no_grad():
        return part.layer({name: paddle.to_tensor(array) for name, array in arrays.items()}).numpy()


def check(part, **options):
    data = converted(part, **options)
    session = session_of(data)
    for count in (1, 4):
        arrays = feed(part, count)
        wanted = by_layer(part, arrays)
        [made] = session.run(None, arrays)
        assert made.shape == wanted.shape
        np.testing.assert_allclose(made, wanted, rtol=TOLERANCE, atol=TOLERANCE * np.abs(wanted).max())
    return data


@pytest.mark.parametrize("name", [name for name in PARTS if name != "mapper"])
def test_a_part_is_the_same_in_onnxruntime(bundle, name):
    [part] = build_parts(bundle, [name])
    check(part)


def test_styles_to_pictures_with_the_own_noise(bundle):
    [part] = build_parts(bundle, ["synthesis"])
    arrays = feed(part, 2)
    styles = bundle.layout.unflatten(paddle.to_tensor(arrays["s"]))
    with paddle.no_grad():
        wanted = bundle.generator.synthesis_from_styles(styles, noise="const").numpy()
        silent = bundle.generator.synthesis_from_styles(styles, noise="none").numpy()
    [made] = session_of(converted(part)).run(None, arrays)
    np.testing.assert_allclose(made, wanted, atol=TOLERANCE)
    assert np.abs(wanted - silent).max() > 0.01


def test_a_picture_that_stops_on_the_way(bundle):
    [part] = build_parts(bundle, ["synthesis"], side=8)
    data = check(part)
    [whole] = build_parts(bundle, ["synthesis"])
    assert len(data) < len(converted(whole))
    arrays = feed(part, 1)
    assert session_of(data).run(None, arrays)[0].shape == (1, 3, 8, 8)
    with pytest.raises(UserError, match="cannot stop at 12"):
        build_parts(bundle, ["synthesis"], side=12)


@pytest.mark.slow
@pytest.mark.parametrize("configuration", ["T", "R"])
def test_stylegan3(configuration):
    paddle.seed(0)
    generator = StyleGAN3Generator(16, 8, configuration, channels=[4] * 14 + [3])
    generator.eval()
    for part in build_parts(
        Bundle("waves", generator, generator.layout, None, None, None), ["mapping", "affine", "synthesis"]
    ):
        check(part)


@pytest.mark.slow
def test_half_the_bytes_and_nearly_the_same_picture(bundle):
    [part] = build_parts(bundle, ["synthesis"])
    whole, half = converted(part), converted(part, half=True)
    arrays = feed(part, 1)
    [a], [b] = session_of(whole).run(None, arrays), session_of(half).run(None, arrays)
    assert len(half) < 0.85 * len(whole)  # of a network whose names weigh as much as its weights
    assert 0 < np.abs(a - b).max() < 0.01 * np.abs(a).max()


def test_the_model_says_what_it_is(bundle):
    [part] = build_parts(bundle, ["affine"])
    model = onnx.load_from_string(converted(part, about={"part": "affine"}))
    [given], [made] = model.graph.input, model.graph.output
    shape = [axis.dim_param or axis.dim_value for axis in given.type.tensor_type.shape.dim]
    assert (given.name, made.name, shape) == ("w_plus", "s", ["N", 6, STYLE_DIM])
    assert {pair.key: pair.value for pair in model.metadata_props} == {"part": "affine"}
    assert [opset.version for opset in model.opset_import] == [graph.OPSET]


@pytest.mark.slow
def test_mappers(bundle, tmp_path_factory):
    from tiny_world import save_tiny_pack

    pack = tmp_path_factory.mktemp("pack")
    save_tiny_pack(pack)
    mappers = save_mappers(pack)
    for name in ("smile", "hair", "multi", "any", "style"):
        [part] = build_parts(bundle, ["mapper"], mapper=mappers[name])
        check(part)
        arrays = feed(part, 3)
        latent, text = next(iter(arrays.values())), arrays.get("text")
        np.testing.assert_allclose(
            by_layer(part, arrays), latent + mappers[name].step(latent, text), atol=1e-5
        )


@pytest.mark.slow
@pytest.mark.parametrize("kind", PUBLISHED)
def test_encoders_of_every_kind(bundle, kind):
    paddle.seed(3)
    config = {"encoder_type": kind, "num_styles": 6, "style_dim": STYLE_DIM, "input_size": 64}
    network = build_encoder({**config, "widths": (4, 6, 8, 10), "depths": (1, 1, 1, 1)})
    network.eval()
    encoder = Encoder(network, np.random.RandomState(1).randn(1, STYLE_DIM).astype(np.float32))
    [part] = build_parts(bundle.with_parts(encoder=encoder), ["encoder"])
    check(part)


@pytest.mark.slow
def test_an_encoder_that_sees_its_last_result_gives_steps(bundle):
    [part] = build_parts(bundle.with_parts(encoder=tiny_encoder(input_channels=6)), ["encoder"])
    assert part.inputs["images"][0][1] == 6
    check(part)


@pytest.mark.slow
def test_a_clip_with_convolutions(bundle):
    paddle.seed(4)
    clip = build_clip(
        {
            **CLIP,
            "vision_layers": (1, 1, 1, 1),
            "vision_width": 8,
            "vision_patch_size": None,
            "image_size": 32,
        }
    )
    for part in build_parts(bundle.with_parts(clip=clip, relevance=None), ["clip_image", "clip_text"]):
        check(part)


def test_unknown_parts_and_those_that_are_not_there(bundle):
    with pytest.raises(UserError, match="no part 'decoder'.*known: mapping"):
        build_parts(bundle, ["decoder"])
    with pytest.raises(UserError, match="no mapper to export; give --mapper"):
        build_parts(bundle, ["mapper"])
    with pytest.raises(UserError, match="no encoder to export"):
        build_parts(bundle.with_parts(encoder=None), ["encoder"])


def test_an_operator_without_a_form_is_named(bundle, monkeypatch):
    [part] = build_parts(bundle, ["mapping"])
    monkeypatch.delitem(graph.CONVERTERS, "leaky_relu")
    with pytest.raises(UserError, match="'leaky_relu'"):
        converted(part)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ppstyleclip\[onnx\]'"):
        graph.import_onnx()
