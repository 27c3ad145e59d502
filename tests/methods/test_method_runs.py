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
from oracles.seeded_weights import drawn_clip_state, drawn_state, keyed_state
from tiny_world import live_in

sys.path.insert(0, str(Path(__file__).parents[1] / "oracles"))

from methods_world import (  # noqa: E402
    FACE_SHAPE,
    LAYERS,
    STYLE_DIM,
    STYLE_DIMS,
    TEXTS,
    face_weight,
    latents_of,
    mapper_batches,
    text_table,
    words,
)

from ppstyleclip import engine  # noqa: E402
from ppstyleclip.convert import convert  # noqa: E402
from ppstyleclip.methods.mapper import (  # noqa: E402
    ALONE,
    ImageLoss,
    LatentDataset,
    MapperConfig,
    Training,
    TrainingConfig,
    network_config,
    text_set,
)
from ppstyleclip.methods.mapper.optimizers import Optimizer  # noqa: E402
from ppstyleclip.methods.mapper.training import _evaluate  # noqa: E402
from ppstyleclip.methods.optimization import optimize  # noqa: E402
from ppstyleclip.models.arcface import IRSE50  # noqa: E402
from ppstyleclip.models.clip import build_clip, load_clip_state  # noqa: E402
from ppstyleclip.models.state import from_torch_state, load_state  # noqa: E402
from ppstyleclip.pipelines.presets import read_optimization_preset  # noqa: E402
from ppstyleclip.zoo.generators import build_converted_generator  # noqa: E402

STORED = np.load(Path(__file__).parents[1] / "oracles" / "methods.npz", allow_pickle=False)
RUNS = {
    "official": {},
    "official_identity": {"identity": 0.005},
    "official_s": {"space": "s"},
    "seed001": {},
    "seed004": {"identity": 0.0},
}


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
    return generator, generator.layout, clip


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    live_in(tmp_path, monkeypatch, tmp_path)


def go(way, monkeypatch):
    """Compiled or eager: compiling takes seconds, so some runs are only eager."""
    if way == "eager":
        monkeypatch.setattr(engine.Compiled, "compile", lambda self: False)
        monkeypatch.setattr(engine.Compiled, "__call__", engine.Compiled._eager)


@pytest.mark.slow
@pytest.mark.parametrize(
    "run, way",
    [
        *((run, "eager") for run in RUNS),
        ("official_identity", "compiled"),
        ("official_s", "compiled"),
        ("seed004", "compiled"),
    ],
)
def test_first_steps_are_the_peers(networks, run, way, monkeypatch):
    go(way, monkeypatch)
    generator, layout, clip = networks
    config = read_optimization_preset(run.partition("_")[0], **RUNS[run])
    start = latents_of(1)
    if config.space == "s":
        with paddle.no_grad():
            start = layout.flatten(generator.style_affine(paddle.to_tensor(start))).numpy()
    identity = Face() if "identity" in config.objective.parts else None
    steps = optimize(generator, clip, start, text_table()[None, :1], config, identity=identity)
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
    config = read_optimization_preset(run.partition("_")[0])
    np.testing.assert_allclose(config.learning_rates(), STORED[f"{run}/rates"], rtol=1e-12, atol=0)


def test_ranger_is_the_published_one():
    """Over 24 steps on drawn gradients; 4 lookaheads. torch's matrices are [out, in], ours [in, out]."""
    random = np.random.RandomState(7)
    shapes_of_them = ((6, 4), (4,), (3, 5))
    weights = {
        str(k): paddle.create_parameter(shape[::-1], "float32") for k, shape in enumerate(shapes_of_them)
    }
    for weight, shape in zip(weights.values(), shapes_of_them):
        weight.set_value(random.randn(*shape).astype("float32").T)
    optimiser = Optimizer("ranger", weights, 0.5)
    for wanted in STORED["ranger"]:
        gradients = [random.randn(*shape).astype("float32") for shape in shapes_of_them]
        optimiser.step({str(k): paddle.to_tensor(one.T) for k, one in enumerate(gradients)})
        found = np.concatenate([weight.numpy().T.reshape(-1) for weight in weights.values()])
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


TRAINED = {
    "levels": "Mapper",
    "styles": "Mapper",
    "Mapper_sum": "Mapper_sum",
    "Mapper_multi": "Mapper_multi",
    "Mapper_cat": "Mapper_cat",
}


def training_of(case, texts):
    """A Training with the peer's weights and default settings."""
    mapper = MapperConfig(
        mode=TRAINED[case],
        embed="table" if case.startswith("Mapper_") else "none",
        space="s" if case == "styles" else "w_plus",
    )
    config = TrainingConfig(mapper)
    shapes_of_it = network_config(mapper, LAYERS, STYLE_DIM, STYLE_DIMS, STYLE_DIM)
    training = Training(shapes_of_it, words() if mapper.embed == "table" else None, texts, config)
    state = keyed_state(shapes(f"{case}/shapes"), lr_mul=0.01)
    load_state(training.network, from_torch_state(training.network, state), case)
    training.optimizer = Optimizer("ranger", training.network.named_parameters(), config.learning_rate)
    return training


@pytest.mark.slow
@pytest.mark.parametrize("case, way", [*((case, "eager") for case in TRAINED), ("styles", "compiled")])
def test_training_is_the_peers(networks, case, way, monkeypatch):
    """Twelve steps of Ranger at 0.5: the loss and its parts, and how far weights have moved at the end."""
    go(way, monkeypatch)
    alone = TEXTS[:1] if TRAINED[case] == "Mapper" else TEXTS
    texts = text_set(alone, together=2 if case == "Mapper_multi" else 1)
    training = training_of(case, texts)
    before = {name: value.numpy() for name, value in training.network.state_dict().items()}
    generator, _, clip = networks
    loss = ImageLoss(generator, clip, texts, text_table()[: len(alone)], training.config, identity=Face())
    batches = mapper_batches("styles" if case == "styles" else TRAINED[case], 12)
    for (latents, _, names), wanted in zip(batches, STORED[f"{case}/losses"]):
        faces = LatentDataset(latents, text_set(alone[:1]))
        faces.classes[:] = texts.classes.index(tuple(sorted(alone.index(name) for name in names)))
        terms, gradients = _evaluate(training, loss, faces, np.arange(len(latents)), ALONE)
        found = np.array([terms[name] for name in ("clip", "l2", "identity", "loss")])
        np.testing.assert_allclose(found[[0, 1, 3]], wanted[[0, 1, 3]], rtol=1e-5)
        np.testing.assert_allclose(found[2], wanted[2], rtol=0, atol=2e-6)  # 1 - cosine, of 1e-2
        training.optimizer.step(gradients)
        training.step += 1
    for name, value in training.network.state_dict().items():
        if f"{case}/moved/{name}" in STORED:
            moved, theirs = value.numpy() - before[name], STORED[f"{case}/moved/{name}"]
            moved = (moved.T if moved.ndim == 2 else moved).reshape(-1)[::7]
            assert np.abs(theirs).max() > 5e-4  # of weights of about 100, whose float32 has steps of 8e-6
            np.testing.assert_allclose(moved, theirs, rtol=0, atol=3e-5 if "weight" in name else 2e-6)
