# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The recipe of the pack's mappers: the loss of the PyTorch twins is the compiled one."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.methods.optimization import ObjectiveConfig  # noqa: E402
from ppstyleclip.methods.optimization.compiled_objective import compile_objective  # noqa: E402
from ppstyleclip.methods.optimization.objective import needed_networks  # noqa: E402
from ppstyleclip.worlds.portrait.factors import sample_z  # noqa: E402
from ppstyleclip.worlds.portrait.training import mappers  # noqa: E402
from ppstyleclip.worlds.portrait.training.clip import export as clip_export  # noqa: E402
from ppstyleclip.worlds.portrait.training.clip.network import Clip  # noqa: E402
from ppstyleclip.worlds.portrait.training.export import save_generator  # noqa: E402
from ppstyleclip.worlds.portrait.training.network import Generator  # noqa: E402
from ppstyleclip.worlds.portrait.training.twin_loss import TwinLoss, load_twins  # noqa: E402
from ppstyleclip.zoo import load_clip, load_generator, load_mapper  # noqa: E402

TINY = {4: 8, 8: 8, 16: 6, 32: 4, 64: 4}
CLIP = {
    "vision_width": 8,
    "embed_dim": 16,
    "transformer_width": 16,
    "transformer_heads": 2,
    "transformer_layers": 1,
    "image_size": 32,
}
OBJECTIVE = ObjectiveConfig(
    weights={"clip": 1.0, "l2": 0.3}, l2_reduction="mean", view="clip", crops=3, directional_strength=1.0
)


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """A folder with a generator of 64 px and a CLIP, both tiny and random."""
    path = tmp_path_factory.mktemp("pack")
    torch.manual_seed(2)
    generator, clip = Generator(64, channels=TINY), Clip(CLIP).eval()
    with torch.no_grad():  # what starts at 0 would hide faults
        for name, parameter in (*generator.named_parameters(), *clip.named_parameters()):
            if name.endswith(("bias", "noise.weight", "bn3.weight")):
                parameter.add_(0.3 * torch.randn_like(parameter))
    save_generator(path / "generator.safetensors", generator, half=False)
    clip_export.save_clip(path / "clip.safetensors", clip, half=False)
    return path


def inputs(latent, seed=1):
    random = np.random.RandomState(seed)
    texts = random.randn(len(latent), 1, CLIP["embed_dim"]).astype(np.float32)
    return {
        "latent": (latent + 0.2 * random.randn(*latent.shape)).astype(np.float32),
        "start": latent,
        "texts": texts / np.linalg.norm(texts, axis=2, keepdims=True),
        "text_weights": np.array([[1.0], [0.5], [2.0]], np.float32),
    }


def test_the_twins_loss_is_the_compiled_one(pack):
    generator, clip = (
        load_generator(pack / "generator.safetensors")[0],
        load_clip(pack / "clip.safetensors")[0],
    )
    import paddle

    with paddle.no_grad():
        latent = generator.get_latents(paddle.to_tensor(sample_z(3, 3))).numpy()
    arrays = inputs(latent)
    compiled = compile_objective(needed_networks(OBJECTIVE, generator, clip), OBJECTIVE, "w_plus", arrays)
    wanted, slope, images = compiled(arrays)
    found, gradient, drawn = TwinLoss(*load_twins(pack), OBJECTIVE, half=False).evaluate(arrays)
    np.testing.assert_allclose(drawn, images, atol=1e-4)
    for name in ("clip", "l2"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradient, slope, rtol=1e-2, atol=1e-3 * np.abs(slope).max())


def test_a_part_that_the_twins_do_not_know_is_refused(pack):
    config = ObjectiveConfig(weights={"clip": 1.0, "l2": 0.3, "identity": 0.1}, view="clip")
    with pytest.raises(UserError, match="the twins know the parts clip and l2"):
        TwinLoss(*load_twins(pack), config)


def test_a_mapper_is_trained_into_the_pack(pack, tmp_path):
    short = ["steps=3", "batch_size=2", "validate_every=3"]
    mappers.main(["happy", "--folder", str(tmp_path), "--pack", str(pack), "--set", *short])
    mapper = load_mapper(pack / "mapper_happy.safetensors")
    assert mapper.texts == ("happy face",) and mapper.config["fine"] is False
    assert (tmp_path / "happy-00003.png").is_file()
    step = mapper.step(np.random.RandomState(0).randn(2, 10, 128).astype(np.float32))
    assert np.abs(step[:, :8]).min(axis=2).max() > 0 and not step[:, 8:].any()


def test_a_mapper_of_many_texts_is_told_by_clip(pack, tmp_path):
    short = ["steps=4", "batch_size=4", "validate_every=4", "width=8"]
    mappers.main(["words", "--folder", str(tmp_path), "--pack", str(pack), "--set", *short])
    path = pack / "mapper_words.safetensors"
    mapper = load_mapper(path)
    assert mapper.texts == mappers.WORDS and mapper.embed == "clip" and mapper.config["width"] == 8
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()  # what was kept on the way
    latent = np.random.RandomState(0).randn(2, 10, 128).astype(np.float32)
    clip = load_clip(pack / "clip.safetensors")[0]
    steps = [mapper.step(latent, mapper.text_vector(text, clip)) for text in ("happy face", "smiling face")]
    assert np.abs(steps[0] - steps[1]).max() > 0
    for step in steps:
        assert step.any(axis=2).all()  # the last layers, too


def test_a_mapper_goes_on_from_another(pack, tmp_path):
    short = ["steps=4", "batch_size=4", "validate_every=4", "width=8"]
    mappers.main(["words", "--folder", str(tmp_path), "--pack", str(pack), "--set", *short])
    path, start = pack / "mapper_words.safetensors", tmp_path / "start.safetensors"
    before = load_mapper(path.rename(start))
    again = ["words", "--folder", str(tmp_path), "--pack", str(pack), "--start", str(start), "--set", *short]
    mappers.main([*again, "learning_rate=1e-7"])
    after, latent = load_mapper(path), np.random.RandomState(0).randn(2, 10, 128).astype(np.float32)
    text = before.text_vector("happy face", load_clip(pack / "clip.safetensors")[0])
    np.testing.assert_allclose(after.step(latent, text), before.step(latent, text), atol=1e-3)
    assert np.abs(before.step(latent, text)).max() > 0.01
