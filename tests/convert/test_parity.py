# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Converted networks compute what the peers' own code computed with the same weights (make_convert.py).

Most weights are square, so a layer that is not turned, or turned twice, passes every check of shapes and
fails here.
"""

import json
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from pathlib import Path

import numpy as np
import paddle
import pytest
from edges import slow
from oracles.seeded_weights import drawn_clip_state, drawn_state, sample, seeded_z

from ppstyleclip.convert import convert
from ppstyleclip.convert.clips import _HUGGING_FACE, _HUGGING_FACE_NORMS, _their_block
from ppstyleclip.models.clip import build_clip, load_clip_state
from ppstyleclip.models.stylegan2 import build_generator, load_generator_state

ORACLES = Path(__file__).parents[1] / "oracles"
CLOSE = 1e-4  # of the largest value


def stored(peer, case="") -> dict:
    with np.load(ORACLES / f"convert_{peer}.npz") as file:
        found = {name[len(case) :]: file[name] for name in file.files if name.startswith(case)}
    return {**found, "shapes": json.loads(found["shapes"].tobytes())}


def as_saved(peer, state) -> dict:
    """The checkpoint in which the peer's code keeps a state dict."""
    return {"g_ema": state} if peer == "rosinality" else {"G": None, "D": None, "G_ema": state}


@pytest.mark.parametrize(
    "peer, case",
    [
        ("rosinality", "0/"),
        slow(("rosinality", "1/")),
        ("ada", "0/"),
        slow(("ada", "1/")),
        ("stylegan3", "0/"),
    ],
)
def test_generators_draw_what_the_peer_draws(peer, case):
    wanted = stored(peer, case)
    converted = convert(as_saved(peer, drawn_state(wanted["shapes"])))
    generator = build_generator(converted.config)
    load_generator_state(generator, converted.state)
    generator.eval()
    z = paddle.to_tensor(seeded_z(len(wanted["w"]), generator.style_dim))
    with paddle.no_grad():
        images, w_plus = generator([z], return_latents=True, randomize_noise=False)
    np.testing.assert_allclose(w_plus[:, 0].numpy(), wanted["w"], atol=CLOSE * np.abs(wanted["w"]).max())
    for name, value in zip(("means", "squares", "pixels"), sample(images.numpy())):
        np.testing.assert_allclose(value, wanted[name], atol=CLOSE * wanted["peak"], err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["style.2.weight", "conv1.conv.modulation.weight"])
def test_a_turned_layer_would_be_seen(key):
    wanted = stored("rosinality", "0/")
    converted = convert({"g_ema": drawn_state(wanted["shapes"])})
    assert converted.state[key].shape[0] == converted.state[key].shape[1]
    generator = build_generator(converted.config)
    load_generator_state(generator, {**converted.state, key: converted.state[key].T})
    with paddle.no_grad():
        images, _ = generator([paddle.to_tensor(seeded_z(2, 512))], randomize_noise=False)
    assert np.abs(sample(images.numpy())[2] - wanted["pixels"]).max() > 100 * CLOSE * wanted["peak"]


def features(converted) -> tuple:
    wanted = stored("openai")
    clip = build_clip(converted.config)
    load_clip_state(clip, converted.state)
    with paddle.no_grad():
        return (
            clip.net.visual(paddle.to_tensor(wanted["pixels"])).numpy(),
            clip.encode_tokens(wanted["tokens"]).numpy(),
            wanted,
        )


def check_features(converted):
    image, text, wanted = features(converted)
    np.testing.assert_allclose(image, wanted["image"], atol=CLOSE * np.abs(wanted["image"]).max())
    np.testing.assert_allclose(text, wanted["text"], atol=CLOSE * np.abs(wanted["text"]).max())
    np.testing.assert_allclose(converted.state["logit_scale"], wanted["logit_scale"].reshape(1))


def test_openais_clip():
    check_features(convert(drawn_clip_state(stored("openai")["shapes"])))


def hugging_face(state, targets) -> dict:
    """What Hugging Face's model.safetensors holds of the same CLIP (facts of its published keys)."""
    found = {}
    for key in targets:
        if ".attn." in key and "out_proj" not in key:
            start, word, last = key.rsplit(".", 2)
            joint = state[f"{start}.in_proj_{last}"]
            found[_their_block(key)] = np.split(joint, 3)["qkv".index(word[0])]
        elif ".resblocks." in key:
            found[_their_block(key)] = state[key]
        elif key in _HUGGING_FACE:
            turned = key in ("visual.proj", "text_projection")
            found[_HUGGING_FACE[key]] = state[key].T if turned else state[key]
        else:
            name, _, last = key.rpartition(".")
            found[f"{_HUGGING_FACE_NORMS[name]}.{last}"] = state[key]
    found["text_model.embeddings.position_ids"] = np.arange(12)[None]
    return found


def test_hugging_faces_clip():
    state = drawn_clip_state(stored("openai")["shapes"])
    ours = convert(state)
    converted = convert(hugging_face(state, ours.state))
    assert converted.config == ours.config and list(converted.state) == list(ours.state)
    check_features(converted)
    assert list(converted.ignored) == ["text_model.embeddings.position_ids"]
