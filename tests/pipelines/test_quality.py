# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How near drawn faces come: figures beside the formulas, and the words that the commands print."""

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.cli.photos import in_words, warn_if_poor
from ppstyleclip.methods.inversion import LpipsDistance, PlainDistance
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.models.lpips import LPIPS
from ppstyleclip.pipelines import quality
from ppstyleclip.pipelines.quality import Measures, Quality, load_measures, measure, psnr
from ppstyleclip.zoo import has_lpips, load_pack

PIXELS, OTHERS = np.random.RandomState(0).randint(0, 256, (2, 2, 16, 16, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    live_in(tmp_path, monkeypatch, tmp_path)


class Channels(paddle.nn.Layer):
    """A network whose features are the mean colours, of length 1."""

    def identity_features(self, images):
        return paddle.nn.functional.normalize(images.mean(axis=[2, 3]), axis=1)


def test_psnr_is_the_formula():
    a = np.zeros([2, 4, 4, 3], np.uint8)
    b = np.stack([a[0] + 10, a[1] + 1])
    np.testing.assert_allclose(psnr(a, b), [10 * np.log10(255**2 / 100), 10 * np.log10(255**2)], rtol=1e-6)


def test_each_face_is_measured_by_itself():
    found = measure(Measures(PlainDistance(), Channels()), PIXELS, OTHERS)
    a, b = (part / np.float32(127.5) - 1 for part in (PIXELS, OTHERS))
    halves = [part.reshape(2, 8, 2, 8, 2, 3).mean((2, 4)) for part in (a, b)]
    plain = np.mean((a - b) ** 2, (1, 2, 3)) + np.mean((halves[0] - halves[1]) ** 2, (1, 2, 3))
    means = [part.mean((1, 2)) for part in (a, b)]
    colours = [mean / np.linalg.norm(mean, axis=1, keepdims=True) for mean in means]
    np.testing.assert_allclose(found.distance, plain, rtol=1e-4)
    np.testing.assert_allclose(found.identity, (colours[0] * colours[1]).sum(1), rtol=1e-4)
    np.testing.assert_allclose(found.psnr, psnr(PIXELS, OTHERS))


def test_equal_pictures_are_at_0_and_alike():
    found = measure(Measures(PlainDistance(), Channels()), PIXELS, PIXELS)
    np.testing.assert_allclose(found.identity, 1, atol=1e-5)
    assert not found.distance.any()
    assert measure(Measures(PlainDistance(), None), PIXELS, PIXELS).identity is None


STAGES = [
    Quality(np.array([20.0, 21.0]), np.array([0.5, 0.6]), np.array([0.25, 0.5])),
    Quality(np.array([30.0, 31.04]), np.array([0.05, 0.06]), np.array([0.75, 0.875])),
]


@pytest.mark.parametrize(
    "distance, identity, words",
    [
        (
            PlainDistance(),
            None,
            "PSNR 21.0 -> 31.0 dB, plain distance 0.6000 -> 0.0600 (no LPIPS), "
            "identity not measured (no network; give --ir_se50_weights)",
        ),
        (
            LpipsDistance(LPIPS((2, 2, 2, 2, 2))),
            Channels(),
            "PSNR 21.0 -> 31.0 dB, LPIPS 0.600 -> 0.060, identity 0.500 -> 0.875",
        ),
    ],
)
def test_the_words_name_what_stood_in(distance, identity, words):
    lines = in_words(Measures(distance, identity), *STAGES)
    assert len(lines) == 2 and lines[1] == words
    assert in_words(Measures(distance, identity), STAGES[0])[0].startswith("PSNR 20.0 dB, ")


def test_lpips_measures_large_pictures_where_its_weights_are_here(tmp_path, monkeypatch):
    bundle = load_pack(save_tiny_pack(tmp_path / "pack"))
    assert not has_lpips() and load_measures(bundle).distance.name == "plain"
    cache = tmp_path / "home" / ".cache" / "ppgan"
    cache.mkdir(parents=True)
    for name in ("vgg16_official.pdparams", "lins_0.1_vgg.pdparams"):
        (cache / name).write_bytes(b"here")
    assert has_lpips() and load_measures(bundle).distance.name == "plain"
    monkeypatch.setattr(quality, "LARGE", 16)
    monkeypatch.setattr(quality, "load_lpips", lambda: LPIPS((2, 2, 2, 2, 2)))
    assert load_measures(bundle).distance.name == "lpips"
    loaded = LpipsDistance(LPIPS((2, 2, 2, 2, 2)))
    assert load_measures(bundle, distance=loaded).distance is loaded


def test_an_identity_network_is_read_where_one_is_named(tmp_path, monkeypatch):
    bundle = load_pack(save_tiny_pack(tmp_path / "pack"))
    network, asked = IRSE50, []
    monkeypatch.setattr(quality, "load_identity", lambda path: asked.append(path) or network)
    assert load_measures(bundle, "file").identity is network and asked == ["file"]


def quality_of(*decibels):
    values = np.array(decibels)
    return Quality(values, np.zeros(len(values)), None)


def test_a_quality_says_which_faces_are_drawn_badly():
    assert quality_of(20, 17.2).poor.tolist() == [False, True]


def test_what_is_drawn_badly_is_named():
    with pytest.warns(UserWarning, match=r"face 2 is drawn badly \(17.2 dB\).*'tiny'") as warned:
        warn_if_poor("tiny", quality_of(20, 17.2))
    assert len(warned) == 1
    with pytest.warns(UserWarning, match="the face is drawn badly"):
        warn_if_poor("tiny", quality_of(1.0))
