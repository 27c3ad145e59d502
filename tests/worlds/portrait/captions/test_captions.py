# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Captions in two languages: true, short enough for CLIP, in many forms, of known words."""

from __future__ import annotations

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.models.clip_tokens import prompt_tokens
from ppstyleclip.models.clip_words import unknown_words, vocabulary_tokens
from ppstyleclip.worlds.portrait.captions import ATTRIBUTES, DEGREES, LANGUAGES, caption, judge, truth_table
from ppstyleclip.worlds.portrait.captions.attributes import INDEX
from ppstyleclip.worlds.portrait.captions.pages import FOLDERS, NAME, page
from ppstyleclip.worlds.portrait.captions.sampling import caption_of, say, ways
from ppstyleclip.worlds.portrait.captions.truth import LESS, MORE, NOT, PLAIN, SLIGHTLY, VERY, degrees_of
from ppstyleclip.worlds.portrait.captions.vocabulary import phrases, vocabulary
from ppstyleclip.worlds.portrait.factors import factors_from_z, sample_z

KNOWN = frozenset(vocabulary())


@pytest.fixture(scope="module")
def captions():
    """`{language: captions}` and the truth table of the faces that they describe, in order."""
    table, rng = truth_table(factors_from_z(sample_z(5, 400))), np.random.RandomState(0)
    return {language: [caption_of(row, rng, language) for row in table] for language in LANGUAGES}, table


def test_tables_name_every_attribute_and_are_large_enough():
    for grammar in LANGUAGES.values():
        assert set(grammar.WORDS) == set(INDEX)
    assert len(phrases("en")) >= 250 and len(phrases("zh")) >= 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_statement_can_be_said_and_no_prompt_says_two_things(language):
    said = {}
    for index, attribute in enumerate(ATTRIBUTES):
        for degree in degrees_of(attribute):
            found = ways(language, index, degree)
            assert found, (attribute.name, DEGREES[degree])
            for piece in found:
                prompt = LANGUAGES[language].prompt(piece)
                assert said.setdefault(prompt, (index, degree)) == (index, degree), prompt


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_are_true_and_say_none_to_five_things(captions, language):
    found, table = captions
    counts = set()
    for row, one in zip(table, found[language]):
        assert judge(row[None], one.statements)[0] == 1, one.text
        counts.add(len(one.statements))
    assert {0, 1, 2, 3, 4} <= counts <= {0, 1, 2, 3, 4, 5}
    assert len({one.text for one in found[language]}) > 360


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_hold_known_words_and_fit_into_the_context(captions, language):
    rows = set(vocabulary_tokens(vocabulary()))
    for one in captions[0][language]:
        assert unknown_words(one.text, KNOWN) == [], one.text
        assert set(prompt_tokens(one.text)) <= rows, one.text  # which raises where the text is too long


def test_degrees_and_negations_have_their_words():
    def english(name, degree, kind=None):
        return {LANGUAGES["en"].prompt(p) for p in ways("en", INDEX[name], degree)}

    def chinese(name, degree):
        return {LANGUAGES["zh"].prompt(p) for p in ways("zh", INDEX[name], degree)}

    assert {"slightly happy face", "face with a slight smile"} <= english("happy", SLIGHTLY)
    assert "face with very long hair" in english("long hair", VERY)
    assert {"face with longer hair"} <= english("long hair", MORE)
    assert {"more smiling face", "happier face"} <= english("happy", MORE)
    assert "less angry face" in english("angry", LESS)
    assert {"face with no beard", "face without a beard"} <= english("beard", NOT)
    assert {"face without glasses", "face that is not wearing glasses"} <= english("glasses", NOT)
    assert "not smiling face" in english("happy", NOT)
    assert {"稍微开心的脸"} <= chinese("happy", SLIGHTLY)
    assert "有非常长的头发的脸" in chinese("long hair", VERY)
    assert "有更长的头发的脸" in chinese("long hair", MORE)
    assert {"没有胡子的脸", "不留胡子的脸"} <= chinese("beard", NOT)
    assert {"不戴眼镜的脸", "没有眼镜的脸"} <= chinese("glasses", NOT)


# Of StyleCLIP's paper and of the projects that came after it, as far as a portrait can show them.
PROMPTS = """
face; head; happy face; angry face; really angry face; smile face; smiling face; sad face; boy face;
surprised; face with long hair; face with curl hair; curly hair; wavy hair; head with black hair; head
with gold hair; afro; bangs hair; bob-cut hairstyle; bob cut; bobcut; bowl cut; bowlcut; long hair;
purple hair; pink hair; blue hair; blonde hair; red hair; brown hair; a man with purple hair; glasses;
tanned; pale; lipstick; makeup; face without makeup; male; female; beard; grey hair; old; young face;
child; elderly; sunglasses; tired; cheerful; big eyes; blue eyes; black hair; shocked; a photo of a
face.;
微笑的脸; 脸; 有长发的脸; 卷发; 没有胡子; 不戴眼镜;
更长的头发; 生气的脸; 金发; 戴墨镜的女人; 留着胡子的老人; 小女孩
"""


@pytest.mark.parametrize("prompt", [" ".join(text.split()) for text in PROMPTS.split(";")])
def test_prompts_of_the_paper_and_the_seeds_are_known(prompt):
    assert unknown_words(prompt, KNOWN) == []


@pytest.mark.parametrize(
    "text, unknown",
    [("face with a mohawk", ["mohawk"]), ("莫西干发型的脸", ["莫西干发型"]), ("光头", ["光头"])],
)
def test_what_no_portrait_shows_is_unknown(text, unknown):
    assert unknown_words(text, KNOWN) == unknown


def test_a_second_noun_is_left_out():
    both = [(INDEX["boy"], PLAIN), (INDEX["child"], PLAIN)]
    for seed in range(30):
        found = say(both, np.random.RandomState(seed), "zh", template=False)
        assert sum(noun in found.text for noun in ("男孩", "男生", "小伙子", "孩童", "儿童")) <= 1 + (
            "男孩子" in found.text
        )


def test_captions_of_one_face_and_of_an_unknown_language():
    factors = factors_from_z(sample_z(7, 1))[0]
    one = caption(factors, np.random.RandomState(3), "zh")
    assert one == caption(factors, np.random.RandomState(3), "zh")
    with pytest.raises(UserError, match="en and zh, not in 'fr'"):
        caption(factors, np.random.RandomState(3), "fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_documents_list_the_words_of_the_tables(pytestconfig, language):
    path = pytestconfig.rootpath / "docs" / FOLDERS[language] / NAME
    assert path.read_text(encoding="utf-8") == page(language), (
        "run: python -m ppstyleclip.worlds.portrait.training.words"
    )
