# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Sessions as links and files, and links that strangers have written."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.regions import RegionMask
from ppstyleclip.studio import links
from ppstyleclip.studio.session import Face, Moment, Session, Step

W = np.random.RandomState(0).randn(1, 3, 4).astype(np.float32)
MASK = RegionMask(np.eye(16, dtype=np.float32), "brush")
STEPS = (
    Step("direction", "脸", "开心的脸", 2.5, 0.12, "mouth+eyes", bound="reached"),
    Step("direction", "face", "happy face", -1.0, 0.0, MASK),
    Step("optimise", "face", "sad face", 0.5, way=np.arange(5, dtype=np.float32)),
    Step("mapper", "face", "", 1.5, mapper="happy"),
)


def note(face, steps=STEPS):
    return links.note_of(Session(Moment(face, steps)), "portrait", "abc")


def crafted(**values):
    text = json.dumps({"format": 1, "model": "portrait", "seed": 1, **values})
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()


def test_a_session_comes_back_as_it_was():
    back = links.from_link(links.to_link(note(Face("seed", W, 7))))
    assert (back.model, back.generator, back.seed, back.w_plus) == ("portrait", "abc", 7, "")
    steps = [links.step_of(one) for one in back.steps]
    for step, old in zip(steps, STEPS):
        for name in ("method", "neutral", "target", "alpha", "beta", "region", "mapper", "bound"):
            assert getattr(step, name) == getattr(old, name)
    assert steps[2].way.tolist() == [0, 1, 2, 3, 4]


def test_a_face_without_a_seed_is_held_bit_for_bit():
    kept = links.from_text(links.to_text(note(Face("photo", W))))
    assert np.array_equal(links.latent_of(kept), W.reshape(-1)) and kept.seed is None
    equal = np.repeat(W[:, :1], 3, axis=1)
    assert np.array_equal(links.latent_of(note(Face("latent", equal))), W[0, 0]), "one row for all layers"
    z = np.float32([0.1, 0.2])
    assert np.array_equal(links.latent_of(note(Face("likeness", W, z=z))), z)


def test_a_link_holds_no_photo():
    class Place:
        photo = np.zeros([900, 900, 3], np.uint8)

    link = links.to_link(note(Face("photo", W, place=Place()), steps=()))
    assert len(link) < 300


def test_a_session_that_is_too_long_for_a_link_says_so():
    long = Step("optimise", "face", "sad", 1.0, way=np.random.RandomState(1).randn(9088).astype(np.float32))
    with pytest.raises(UserError, match="save it as a file"):
        links.to_link(note(Face("seed", W, 1), (long,)))


@pytest.mark.parametrize(
    "link, words",
    [
        ("", "no session"),
        ("%%%", "no session"),
        ("AAAA", "no session"),
        (crafted()[:-8], "no session"),
        ("A" * (links.MOST_LINK + 1), "no session"),
        (base64.urlsafe_b64encode(zlib.compress(b"0" * 9_000_000)).decode(), "no session"),
        (crafted(format=2), "format"),
        (crafted(seed=-1), "seed"),
        (crafted(seed="1"), "seed"),
        (crafted(steps=[{"method": "format c:", "neutral": "", "target": "", "alpha": 1}]), "method"),
        (crafted(steps=[{"method": "direction", "neutral": "a\nb", "target": "", "alpha": 1}]), "neutral"),
        (crafted(w_plus="<script>"), "w_plus"),
    ],
)  # fmt: skip
def test_what_is_no_link_is_refused_in_one_line(link, words):
    with pytest.raises(UserError, match=words) as error:
        links.from_link(link)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("region", ["/etc/passwd", "mask.png", "mouth+/etc/passwd", "nothing"])
def test_a_link_opens_no_file(region):
    steps = [
        {
            "method": "direction",
            "neutral": "a",
            "target": "b",
            "alpha": 1,
            "region": {"name": region, "share": 0},
        }
    ]
    back = links.from_link(crafted(steps=steps))
    with pytest.raises(UserError, match="unknown region"):
        links.step_of(back.steps[0])


@pytest.mark.parametrize("values", [[np.nan], [np.inf], []])
def test_numbers_that_are_none_are_refused(values):
    packed = base64.b64encode(np.array(values, "<f4").tobytes()).decode()
    with pytest.raises(UserError, match="not finite"):
        links.latent_of(links.from_link(crafted(z=packed)))


def test_a_way_belongs_to_an_optimisation_alone():
    step = {"method": "optimise", "neutral": "a", "target": "b", "alpha": 1}
    with pytest.raises(UserError, match="without its way"):
        links.step_of(links.from_link(crafted(steps=[step])).steps[0])
