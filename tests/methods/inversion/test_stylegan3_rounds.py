# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""ReStyle's rounds for StyleGAN3 find what stylegan3-editing finds with the same weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
from oracles.seeded_weights import keyed_state, sample, seeded_images, stylegan3_state

from ppstyleclip.convert import convert
from ppstyleclip.methods.inversion.encoder import inversion_steps
from ppstyleclip.models.encoders import build_encoder
from ppstyleclip.models.families import family_of
from ppstyleclip.models.state import from_torch_state, load_state

STORED = Path(__file__).parents[2] / "oracles" / "stylegan3_editing.npz"
WIDTHS, DIM, ROUNDS = (16, 32, 48, 64), 64, 3
ENCODERS = {"psp": "BackboneEncoder", "e4e": "ProgressiveBackboneEncoder"}


def stored(case):
    with np.load(STORED) as file:
        found = {name[len(case) + 1 :]: file[name] for name in file.files if name.startswith(f"{case}/")}
        found["turned"] = file["turned"]
    return {key: json.loads(bytes(v)) if v.dtype == np.uint8 else v for key, v in found.items()}


def networks(case, wanted):
    """(encoder, generator, mean latent) with the peer's weights."""
    config = {"encoder_type": ENCODERS[case], "num_styles": 16, "input_channels": 6}
    encoder = build_encoder({**config, "style_dim": DIM, "widths": WIDTHS})
    load_state(encoder, from_torch_state(encoder, keyed_state(wanted["encoder"])), case)
    encoder.eval()
    converted = convert(stylegan3_state(wanted["decoder"]))
    family = family_of(converted.config)
    generator = family.build(converted.config)
    family.load_state(generator, converted.state)
    generator.eval()
    return encoder, generator, converted.extras["latent_avg"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ENCODERS)
@paddle.no_grad()
def test_each_round_and_the_picture_in_its_pose_are_the_peers(case):
    wanted = stored(case)
    encoder, generator, mean = networks(case, wanted)
    drawn = []

    def draw(w_plus):
        drawn.append(generator.synthesis_from_styles(generator.style_affine(w_plus)))
        return drawn[-1]

    images = paddle.to_tensor(seeded_images(2, 3, 256, 256))
    steps = inversion_steps(encoder, images, latent_avg=mean, draw=draw, n_iters=ROUNDS)
    codes = [step.w_plus for step in steps]
    average = paddle.nn.functional.adaptive_avg_pool2d(drawn[0], [256, 256]).numpy()
    np.testing.assert_allclose(sample(average)[2], wanted["average"], atol=1e-5)
    ours = np.stack([one.numpy() for one in codes], 1)[..., ::4]
    assert ours.shape == wanted["codes"].shape == (2, ROUNDS, 16, DIM // 4)
    assert np.abs(wanted["codes"][:, 1:] - wanted["codes"][:, :-1]).max() > 0.1  # each round moves them
    np.testing.assert_allclose(ours, wanted["codes"], atol=1e-4)
    styles = generator.style_affine(codes[-1])
    pictures = generator.synthesis_from_styles(styles, transform=paddle.to_tensor(wanted["turned"]))
    for name, value in zip(("means", "squares", "pixels"), sample(pictures.numpy())):
        atol = 1e-4 * float(wanted["last/peak"])
        np.testing.assert_allclose(value, wanted[f"last/{name}"], atol=atol, err_msg=name)
    s = generator.layout.flatten(styles).numpy()
    moved = generator.layout.unflatten(paddle.to_tensor(generator.move_canvas(s, wanted["turned"])))
    again = generator.synthesis_from_styles(moved).numpy()
    np.testing.assert_allclose(again, pictures.numpy(), atol=1e-4 * float(wanted["last/peak"]))
