# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Our presets go the way that the published loops went, run on the same small networks (make_methods.py).

The peers ran in float64, we in float32. Losses agree to 1e-5 of themselves, each number of the latents to
1e-5 (they are about 0.5 large), and all of them together to 1e-5 of the way that they went.
"""

import json
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
from oracles.seeded_weights import drawn_clip_state, drawn_state
from tiny_world import live_in

sys.path.insert(0, str(Path(__file__).with_name("oracles")))

from methods_world import FACE_SHAPE, face_weight, latents_of, text_table  # noqa: E402

from ppstyleclip import engine  # noqa: E402
from ppstyleclip.apps.optimize import read_settings  # noqa: E402
from ppstyleclip.convert import convert  # noqa: E402
from ppstyleclip.methods.optimize import optimise  # noqa: E402
from ppstyleclip.models.arcface import IRSE50  # noqa: E402
from ppstyleclip.models.clip import build_clip, load_clip_state  # noqa: E402
from ppstyleclip.stylespace import build_layout  # noqa: E402
from ppstyleclip.zoo.generators import build_converted_generator  # noqa: E402

STORED = np.load(Path(__file__).with_name("oracles") / "methods.npz", allow_pickle=False)
RUNS = {"official": {}, "official_identity": {"identity": 0.005}, "official_s": {"space": "s"},
        "seed001": {}, "seed004": {"identity": 0.0}}


def shapes(name):
    return json.loads(bytes(STORED[name]).decode())


class Face(paddle.nn.Layer):
    """The stand-in for an identity network, behind IR-SE50's own cut of the face."""

    face_size, identity_features = 112, IRSE50.identity_features

    def __init__(self):
        super().__init__()
        self.weight = paddle.to_tensor(face_weight())

    def forward(self, faces):
        small = paddle.nn.functional.adaptive_avg_pool2d(faces, FACE_SHAPE[1])
        features = paddle.matmul(small.reshape([-1, self.weight.shape[0]]), self.weight)
        return paddle.nn.functional.normalize(features, axis=1)


@pytest.fixture(scope="module")
def networks():
    """(generator, layout, CLIP) with the peers' weights."""
    generator = build_converted_generator(convert({"g_ema": drawn_state(shapes("generator"))}))
    converted = convert(drawn_clip_state(shapes("clip")))
    clip = build_clip(converted.config)
    load_clip_state(clip, converted.state)
    clip.eval()
    return generator, build_layout(generator), clip


@pytest.fixture(params=["compiled", "eager"])
def way(request, monkeypatch, tmp_path):
    live_in(tmp_path, monkeypatch, tmp_path)
    if request.param == "eager":
        monkeypatch.setattr(engine.Compiled, "compile", lambda self: False)
        monkeypatch.setattr(engine.Compiled, "__call__", engine.Compiled._eager)


@pytest.mark.parametrize("run", RUNS)
def test_first_steps_are_the_peers(networks, way, run):
    generator, layout, clip = networks
    settings = read_settings(run.partition("_")[0], **RUNS[run])
    start = latents_of(1)
    if settings.space == "s":
        with paddle.no_grad():
            start = layout.flatten(generator.style_affine(paddle.to_tensor(start))).numpy()
    identity = Face() if settings.identity > 0 else None
    steps = optimise(generator, layout, clip, start, text_table()[None, :1], settings, identity=identity)
    wanted = STORED[f"{run}/latents"].reshape(5, *start.shape)
    for number, latent in enumerate(wanted):
        step = next(steps)
        np.testing.assert_allclose(step.terms["clip"], STORED[f"{run}/clip"][number], rtol=1e-5)
        np.testing.assert_allclose(step.value, latent, rtol=0, atol=1e-5)
        way_of_all = np.linalg.norm(latent - start)
        assert np.linalg.norm(step.value - latent) < 1e-5 * way_of_all + 5e-6
    assert way_of_all > 0.5  # or nothing was compared


@pytest.mark.parametrize("run", RUNS)
def test_rates_of_all_steps_are_the_peers(run):
    settings = read_settings(run.partition("_")[0])
    np.testing.assert_allclose(settings.rates(), STORED[f"{run}/rates"], rtol=1e-12, atol=0)
