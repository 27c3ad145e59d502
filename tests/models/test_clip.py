# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""CLIP's adapter: features as after Pillow, cut context against paddleclip's text path, states, errors."""

import importlib.util
import json
import sys
import zlib  # noqa: F401  before Paddle, see clip_tokens

import numpy as np
import paddle
import pytest

from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.models import clip as clip_module
from ppstyleclip.models.clip import (
    CLIP_CONFIGS,
    build_clip,
    clip_state,
    import_paddleclip,
    load_clip_state,
    prompt_words,
    tokenize,
)

SMALL = {
    "name": "small",
    "embed_dim": 32,
    "image_size": 64,
    "vision_layers": 2,
    "vision_width": 64,
    "vision_patch_size": 16,
    "transformer_width": 32,
    "transformer_heads": 2,
    "transformer_layers": 2,
}
PROMPTS = ["a face", "a photo of a happy face with long gold hair.", "HEAD", "it's 3 o'clock"]


@pytest.fixture(scope="module")
def small():
    paddle.seed(0)
    return build_clip(SMALL)


def rich(model):
    """Random LayerNorm weights and biases too, so that no term of the text path goes untested."""
    rng = np.random.RandomState(0)
    for value in model.parameters():
        value.set_value(value.numpy() + rng.randn(*value.shape).astype(np.float32) * 0.02)
    return model


def picture(height, width, seed=0):
    """Blobs, an edge and noise: `[H, W, 3]` uint8 pixels that ring and saturate under a bicubic resize."""
    rng = np.random.RandomState(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = [np.sin(9 * x * (c + 1) + 5 * y) + np.cos(11 * y - 3 * x * c) for c in range(3)]
    pixels = 127 + 70 * np.stack(waves, -1) + 40 * rng.randn(height, width, 3)
    pixels[height // 4 : height // 2, width // 3 :] = (255, 0, 255)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def to_images(pixels):
    return paddle.to_tensor(pixels.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1)


# ---- pictures


@pytest.mark.parametrize("height, width", [(256, 256), (150, 90), (48, 48)])
@pytest.mark.parametrize(
    "config",
    [
        {**SMALL, "image_size": 96, "vision_patch_size": 32, "vision_width": 128},
        {**SMALL, "vision_layers": (1, 1, 1, 1), "vision_width": 16, "vision_patch_size": None},
    ],
    ids=["vit", "resnet"],
)
def test_features_match_paddleclips_preprocessing(config, height, width):
    image_module = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    paddle.seed(1)
    model = build_clip(config)
    transform = sys.modules["clip"].get_transforms(model.image_size)
    pixels = [picture(height, width, seed) for seed in range(3)]
    with paddle.no_grad():
        theirs = model.net.encode_image(paddle.stack([transform(image_module.fromarray(p)) for p in pixels]))
        ours = model.encode_image(paddle.concat([to_images(p) for p in pixels]))
    theirs, ours = theirs.numpy(), ours.numpy()
    cosine = (theirs * ours).sum(1) / np.linalg.norm(theirs, axis=1) / np.linalg.norm(ours, axis=1)
    assert cosine.min() >= 0.999


def test_encode_image_is_the_same_in_a_batch_and_has_gradients(small):
    images = paddle.rand([3, 3, 80, 70]) * 2 - 1
    images.stop_gradient = False
    features = small.encode_image(images)
    assert features.shape == [3, small.dim] and features.dtype == paddle.float32
    alone = small.encode_image(images[1:2])
    assert np.abs(features.numpy()[1] - alone.numpy()[0]).max() < 1e-5
    features.square().sum().backward()
    assert np.isfinite(images.grad.numpy()).all() and float(images.grad.abs().sum()) > 0


def test_encode_image_clamps_like_a_saved_picture(small):
    images = paddle.randn([1, 3, 64, 64]) * 2
    assert paddle.equal_all(small.encode_image(images), small.encode_image(images.clip(-1, 1)))


@pytest.mark.parametrize("shape", [[3, 64, 64], [1, 64, 64, 3]])
def test_encode_image_names_a_wrong_shape(small, shape):
    with pytest.raises(ValueError, match=r"expected \[N, 3, H, W\]"):
        small.encode_image(paddle.zeros(shape))


# ---- text


def test_cut_context_equals_the_full_one():
    model = rich(build_clip(SMALL))
    tokens = tokenize(PROMPTS)
    full = sys.modules["clip"].tokenize(PROMPTS)
    assert tokens.shape[1] < 16 and full.shape[1] == 77
    assert np.array_equal(tokens, full.numpy()[:, : tokens.shape[1]])
    with paddle.no_grad():
        expected = model.net.encode_text(full).numpy()
        got = model.encode_tokens(tokens).numpy()
    assert np.abs(got - expected).max() < 1e-4 * np.abs(expected).max()
    assert np.abs(model.encode_tokens(full).numpy() - expected).max() < 1e-4 * np.abs(expected).max()


def test_encode_tokens_has_gradients(small):
    small.clear_gradients()
    tokens = tokenize(PROMPTS)
    small.encode_tokens(tokens).square().sum().backward()
    rows = np.flatnonzero(np.abs(small.net.token_embedding.weight.grad.numpy()).sum(1))
    assert set(rows) <= set(tokens.ravel()) and 49407 in rows
    assert float(small.net.text_projection.grad.abs().sum()) > 0
    small.clear_gradients()


def test_encode_text_remembers_prompts_until_weights_change(monkeypatch):
    model = build_clip(SMALL)
    encoded = []
    original = model._encode_prompts
    monkeypatch.setattr(model, "_encode_prompts", lambda texts: encoded.extend(texts) or original(texts))
    first = model.encode_text(["a face", "a head", "a face"])
    second = model.encode_text(["a head", "a hat"])
    assert encoded == ["a face", "a head", "a hat"]
    assert first.stop_gradient and first.shape == [3, model.dim]
    assert np.array_equal(first.numpy()[1], second.numpy()[0])
    assert np.array_equal(first.numpy()[0], first.numpy()[2])
    model.net.text_projection.set_value(model.net.text_projection * 2)
    assert np.allclose(model.encode_text("a face").numpy(), 2 * first.numpy()[:1], atol=1e-6)


def test_text_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(clip_module, "_CACHED_PROMPTS", 3)
    model = build_clip(SMALL)
    texts = [f"face {i}" for i in range(5)]
    features = model.encode_text(texts).numpy()
    assert list(model._remembered.features) == texts[2:]
    assert np.allclose(model.encode_text(texts[::-1]).numpy(), features[::-1], atol=1e-6)


def test_prompts_that_cannot_be_encoded(small):
    assert tokenize("hair " * 75).shape == (1, 77)
    with pytest.raises(UserError, match="76 tokens"):
        small.encode_text(["hair " * 76])
    for bad in ("", "  \n"):
        with pytest.raises(UserError, match="non-empty"):
            small.encode_text(["a face", bad])
    with pytest.raises(UserError, match="no prompt"):
        small.encode_text([])
    with pytest.raises(ValueError, match=r"\[1, 78\].*at most 77"):
        small.encode_tokens(np.zeros([1, 78], np.int64))


def test_unknown_words(small):
    assert small.vocabulary is None and small.unknown_words("a zebra") == []
    model = build_clip({**SMALL, "vocabulary": ["face", "with", "Bob-cut", "women's"]})
    assert model.unknown_words("Face with a HAT, hat; women's bob-cut") == ["a", "hat"]
    assert model.unknown_words("脸 50") == ["脸", "50"]
    assert prompt_words("It's a 'face'. A face!") == ["it's", "a", "face"]


# ---- building


def test_real_names_are_what_paddleclip_builds(monkeypatch):
    clip = import_paddleclip()
    asked = []
    monkeypatch.setattr(clip, "CLIP", lambda **kwargs: asked.append(kwargs))
    assert set(CLIP_CONFIGS) == set(clip.model_dict)
    for name, config in CLIP_CONFIGS.items():
        clip.model_dict[name][0]()
        ours = {key: value for key, value in config.items() if key not in ("name", "image_size")}
        assert asked.pop() == {**ours, "image_resolution": config["image_size"]}


def test_config_rebuilds_the_same_network():
    model = build_clip({**SMALL, "vocabulary": ["hair", "face"]})
    config = json.loads(json.dumps(model.config()))
    assert config["vocabulary"] == ["face", "hair"]
    again = build_clip(config)
    assert again.config() == model.config() and again.vocabulary == model.vocabulary
    assert (model.name, model.dim, model.image_size) == ("small", 32, 64)
    assert not model.training and abs(model.logit_scale.item() - np.log(1 / 0.07)) < 1e-6


@pytest.mark.parametrize(
    "config, words",
    [
        ("ViT_L", "known: ViT_B_32, RN50, RN101, RN50x4"),
        ({**SMALL, "heads": 2}, "config.heads is unknown; known: embed_dim"),
        ({"embed_dim": 4}, "config.image_size is missing"),
        ({**SMALL, "image_resolution": 32}, "image_resolution is 32, image_size 64"),
        ({**SMALL, "vision_width": 96}, "multiple of 64"),
        ({**SMALL, "vision_patch_size": 7}, "does not divide image_size"),
        ({**SMALL, "transformer_heads": 5}, "does not divide transformer_width"),
    ],
)
def test_wrong_configs(config, words):
    with pytest.raises(UserError, match=words):
        build_clip(config)


# ---- weights


def test_state_keeps_used_rows_and_comes_back():
    model = rich(build_clip({**SMALL, "vocabulary": ["a", "happy", "face"]}))
    state = clip_state(model)
    used = set(tokenize("a happy face.").ravel())
    assert used <= set(state["token_ids"]) and len(state["token_ids"]) < 60
    assert state["token_ids"].dtype == np.int32
    assert state["token_embedding.weight"].shape == (len(state["token_ids"]), 32)
    half = {key: value if key == "token_ids" else value.astype(np.float16) for key, value in state.items()}
    other = build_clip(model.config())
    load_clip_state(other, state)
    prompt = "a happy face."
    assert np.array_equal(model.encode_text(prompt).numpy(), other.encode_text(prompt).numpy())
    images = paddle.rand([1, 3, 64, 64])
    assert np.array_equal(model.encode_image(images).numpy(), other.encode_image(images).numpy())
    again = clip_state(other)
    assert all(np.array_equal(again[key], state[key]) for key in state)
    rest = np.setdiff1d(np.arange(49408), state["token_ids"])
    assert not other.net.token_embedding.weight.numpy()[rest].any()
    load_clip_state(other, half)
    assert other.net.ln_final.weight.dtype == paddle.float32


def test_state_without_vocabulary_keeps_rows_that_are_not_zero(small):
    assert len(clip_state(small)["token_ids"]) == 49408
    model = build_clip(SMALL)
    load_clip_state(model, clip_state(small, token_ids=[7, 3, 3]))
    assert clip_state(model)["token_ids"].tolist() == [3, 7]


def test_whole_state_dict_loads_as_paddleclip_publishes_it(small):
    state = {key: value.numpy() for key, value in small.net.state_dict().items()}
    state.update({"StructuredToParameterName@@": {}, "logit_scale": np.float64(3.0)})
    model = build_clip(SMALL)
    load_clip_state(model, state)
    assert model.logit_scale.item() == 3.0
    assert np.array_equal(model.encode_text("a face").numpy(), small.encode_text("a face").numpy())


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda s: s.pop("ln_final.weight"), "ln_final.weight is missing"),
        (lambda s: s.update(extra=np.zeros(1)), "extra is unknown"),
        (
            lambda s: s.update(text_projection=np.zeros((32, 64))),
            "text_projection is .32, 64. instead of .32, 32.",
        ),
        (lambda s: [s.pop(key) for key in list(s) if "resblocks" in key], "and [0-9]+ more"),
        (lambda s: s.update(token_ids=s["token_ids"][:-1]), "token_ids .* do not fit"),
        (lambda s: s.update(token_ids=s["token_ids"] + 49400), "token_ids .* do not fit"),
        (lambda s: s.pop("token_ids"), "token_embedding.weight is .50, 32. instead of .49408, 32."),
        (lambda s: s.pop("token_embedding.weight"), "token_embedding.weight is missing"),
    ],
)
def test_wrong_states_are_refused_and_change_nothing(small, change, words):
    state = clip_state(small, token_ids=range(50))
    before = small.net.text_projection.numpy()
    state["text_projection"] = state["text_projection"] + 1
    change(state)
    with pytest.raises(UserError, match=words):
        load_clip_state(small, state)
    assert np.array_equal(small.net.text_projection.numpy(), before)


# ---- the package


def _fake_clip(monkeypatch, folder, text):
    (folder / "clip").mkdir()
    (folder / "clip" / "__init__.py").write_text(text, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "clip", raising=False)
    monkeypatch.syspath_prepend(str(folder))


def test_openais_clip_is_named_with_the_cure(monkeypatch, tmp_path):
    _fake_clip(monkeypatch, tmp_path, "from .clip import *\n")
    with pytest.raises(MissingExtra, match="not paddleclip's .*pip uninstall .*pip install .*paddleclip"):
        build_clip(SMALL)


def test_absent_paddleclip_and_absent_requirement(monkeypatch, tmp_path):
    _fake_clip(monkeypatch, tmp_path, "import paddle\nimport a_package_that_is_absent\n")
    with pytest.raises(ImportError, match="pip install a_package_that_is_absent"):
        import_paddleclip()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install paddleclip"):
        import_paddleclip()


def test_zlib_broken_by_paddle_is_explained(monkeypatch, tmp_path):
    _fake_clip(monkeypatch, tmp_path, "import paddle\nimport zlib\nzlib.decompress(b'x')\n")
    with pytest.raises(MissingExtra, match="import ppstyleclip before paddle"):
        import_paddleclip()


@pytest.mark.parametrize("frozen", [False, True])
def test_slope_in_the_picture_counts_the_weights_of_layer_norm(frozen):
    """Paddle's own gradient leaves them out where nobody asks for theirs; finite differences know."""
    paddle.seed(0)
    model = build_clip(SMALL)
    random = np.random.RandomState(1)
    for name, value in model.named_parameters():
        if ".ln_" in name:
            value.set_value(1 + random.uniform(-0.8, 0.8, value.shape).astype(np.float32))
        value.stop_gradient = frozen
    view, way = random.randn(2, 1, 3, 64, 64).astype(np.float32)
    ask = paddle.to_tensor(random.randn(1, 32).astype(np.float32))
    x = paddle.to_tensor(view, stop_gradient=False)
    slope = float((paddle.grad((model.encode_view(x) * ask).sum(), x)[0] * paddle.to_tensor(way)).sum())
    ends = [
        float((model.encode_view(paddle.to_tensor(view + step * way)) * ask).sum()) for step in (1e-2, -1e-2)
    ]
    assert abs(slope - (ends[0] - ends[1]) / 2e-2) < 0.02 * abs(slope)
