# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Templates and text directions, against a CLIP whose features a table gives."""

import zlib  # noqa: F401  before Paddle, see models/clip_tokens.py

import numpy as np
import paddle
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.text import TEMPLATES, text_direction, text_embedding


class TableClip:
    """A stand-in for ClipModel: features drawn from a seed that the text gives."""

    dim = 16

    def __init__(self):
        self.seen = []

    def encode_text(self, texts):
        self.seen += texts
        seeds = [sum(map(ord, text.lower())) for text in texts]
        rows = [np.random.RandomState(seed).randn(self.dim) * (1 + seed % 7) for seed in seeds]
        return paddle.to_tensor(np.stack(rows).astype(np.float32))


def reference(clip, prompt, templates):
    total = np.zeros(clip.dim)
    for template in templates:
        feature = clip.encode_text([template.replace("{}", prompt)]).numpy()[0].astype(np.float64)
        total += feature / np.sqrt((feature**2).sum())
    return total / np.sqrt((total**2).sum())


def test_templates():
    assert [len(TEMPLATES[name]) for name in ("paddlegan", "official", "plain")] == [46, 79, 1]
    assert len(set(TEMPLATES["official"])) == 79 and set(TEMPLATES["paddlegan"]) < set(TEMPLATES["official"])
    for template in TEMPLATES["official"]:
        assert template.count("{}") == 1 and template.endswith(".") and template == template.strip()
    assert "a photo of many {}." not in TEMPLATES["official"] and "a photo of a {}." in TEMPLATES["paddlegan"]


@pytest.mark.parametrize("templates", ["paddlegan", "official", "plain", ("{}", "one {} here")])
def test_embedding_is_the_mean_of_unit_features(templates):
    clip = TableClip()
    got = text_embedding(clip, "face", templates)
    expected = reference(clip, "face", TEMPLATES[templates] if isinstance(templates, str) else templates)
    assert got.shape == (16,) and got.dtype == np.float32
    assert np.abs(got - expected).max() < 1e-6 and abs(np.linalg.norm(got) - 1) < 1e-6


def test_direction_goes_from_neutral_to_target():
    clip = TableClip()
    templates = TEMPLATES["paddlegan"]
    difference = reference(clip, "happy face", templates) - reference(clip, "face", templates)
    dt = text_direction(clip, "face", "happy face")
    assert dt.dtype == np.float32 and abs(np.linalg.norm(dt) - 1) < 1e-6
    assert np.abs(dt - difference / np.linalg.norm(difference)).max() < 1e-5
    assert np.allclose(text_direction(clip, "happy face", "face"), -dt, atol=1e-6)
    assert np.allclose(text_direction(clip, " face ", "happy \n face"), dt)


def test_prompt_may_hold_braces():
    clip = TableClip()
    text_embedding(clip, "a {face}", "plain")
    assert clip.seen == ["a {face}"]


@pytest.mark.parametrize(
    "neutral, target, words",
    [
        ("face", " face", "say the same"),
        ("Face", "face", "say the same"),
        ("", "face", "non-empty"),
        ("face", "   ", "non-empty"),
        ("face", None, "non-empty"),
    ],
)
def test_pairs_without_a_direction(neutral, target, words):
    with pytest.raises(UserError, match=words):
        text_direction(TableClip(), neutral, target)


def test_equal_features_are_not_divided_by_zero():
    clip = TableClip()
    clip.encode_text = lambda texts: paddle.ones([len(texts), 16])
    with pytest.raises(UserError, match="say the same to CLIP"):
        text_direction(clip, "face", "visage")


@pytest.mark.parametrize(
    "templates, words",
    [("imagenet", "known: paddlegan, official, plain"), (("a photo",), "'a photo'"), ((), "none at all")],
)
def test_wrong_templates(templates, words):
    with pytest.raises(UserError, match=words):
        text_embedding(TableClip(), "face", templates)


class FewWords(TableClip):
    """A CLIP that was trained on three words."""

    name = "few"

    def unknown_words(self, text):
        return [word for word in text.split() if word not in ("happy", "sad", "face")]


def test_unknown_words_are_named_once_by_whatever_takes_a_text():
    with pytest.warns(
        UserWarning, match="^the CLIP of 'few' never saw 'zorp', 'blax'; what 'zorp blax zorp' "
    ):
        text_embedding(FewWords(), "zorp blax zorp")
    with pytest.warns(
        UserWarning, match="never saw 'zorp'; what 'face -> zorp face' then does is chance"
    ) as said:
        text_direction(FewWords(), "face", "zorp face")
    assert len(said) == 1


@pytest.mark.filterwarnings("error")
def test_known_words_and_clips_that_know_all_words_are_silent():
    text_embedding(FewWords(), "happy face")
    text_direction(FewWords(), "happy face", "sad face")
    text_embedding(TableClip(), "zorp face")
