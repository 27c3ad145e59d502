# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The texts of a mapper: seed 000's lists, and which latent is for which; the levels of a network."""

import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper import MapperConfig, known_set, network_config, text_set
from ppstyleclip.methods.mapper.text_sets import CLIP_SETS, TABLE_SETS


@pytest.mark.parametrize("layers, levels", [(18, [4, 4, 10]), (10, [4, 4, 2]), (6, [2, 2, 2])])
def test_levels(layers, levels):
    assert network_config(MapperConfig(), layers, 8, [], None)["levels"] == levels


def test_seed_000s_texts():
    multi = TABLE_SETS["multi"]
    assert len(multi.classes) == 26 and len(set(multi.classes)) == 26
    assert [len(TABLE_SETS[name].names) for name in ("hair", "female", "male", "color")] == [5, 5, 4, 4]
    assert TABLE_SETS["male"].prompts[0] == "Robert Downey Jr., Actor of Iron man"
    assert [len(CLIP_SETS[name].names) for name in ("Disney", "color", "hair")] == [4, 6, 4]
    with pytest.raises(UserError, match="unknown texts 'male', known with text vectors 'clip'"):
        known_set("male", "clip")


@pytest.mark.parametrize("count, number", [(20, 4), (25000, 26), (7, 3)])
def test_a_latents_place_tells_its_class(count, number):
    texts = text_set([str(k) for k in range(number)])
    by_rule = [
        next(k for k in range(number) if int(k * count / number) <= i < int((k + 1) * count / number))
        for i in range(count)
    ]
    assert texts.class_of(count).tolist() == by_rule
    with pytest.raises(UserError, match="cannot be shared"):
        texts.class_of(number - 1)


def test_texts_meant_together_are_one_at_least():
    with pytest.raises(UserError, match="together must be at least 1"):
        text_set(["happy", "sad"], together=0)
