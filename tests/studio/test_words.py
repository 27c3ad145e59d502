# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The page's words in both languages."""

from __future__ import annotations

import re

import pytest

from ppstyleclip.regions import NAMES
from ppstyleclip.studio import markup
from ppstyleclip.studio.words import EXAMPLES, LANGUAGES, preferred, words_in

SCRIPT = (markup.ASSETS / "studio.js").read_text(encoding="utf-8")


def test_every_word_is_there_in_both_languages():
    english, chinese = words_in("en"), words_in("zh")
    assert all(english.values()) and all(chinese.values())
    latin = [name for name, word in chinese.items() if not re.search("[\u4e00-\u9fff]", word)]
    assert latin == ["language"], "the name of the other language"
    assert len(EXAMPLES["en"]) == len(EXAMPLES["zh"]) >= 6


def test_regions_and_the_scripts_own_words_have_names():
    words = words_in("en")
    assert set(NAMES) <= set(words)
    used = set(re.findall(r"\bwords\.(\w+)", SCRIPT))
    assert used and used <= set(words)


def test_buttons_of_the_markup_are_actions_that_exist():
    pytest.importorskip("pydantic_settings", reason="the extra 'studio' is not installed")
    from ppstyleclip.studio.actions import Actions

    actions = Actions(None)
    words = words_in("en")
    pages = [markup.header(words, "zh"), markup.stage(words), markup.faces(words), markup.edit_buttons(words)]
    named = set(re.findall(r'data-do="(\w+)"', "".join([*pages, markup.results(words)])))
    does = SCRIPT.partition("const does = {")[2].partition("\n  };")[0]
    own = set(re.findall(r"(\w+)\s*[,:]", does))
    known = set(actions._quick) | set(actions._long) | own
    assert named <= known, named - known


def test_nothing_of_the_page_comes_from_elsewhere():
    words = words_in("en")
    page = "".join(
        [markup.style(), SCRIPT, markup.stage(words), markup.faces(words), markup.header(words, "zh")]
    )
    assert not re.search(r"(?:src|href|url|fetch|import)\W{1,3}(?:https?:)?//", page)


@pytest.mark.parametrize(
    "header, language",
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("de-DE,zh;q=0.5,en;q=0.7", "en"),
        ("fr", "en"),
        ("zh;q=0", "en"),
        ("en;q=junk, zh;q=0.1", "zh"),
        (",;q=,,", "en"),
    ],
)
def test_the_browsers_language(header, language):
    assert preferred(header) == language


def test_languages_are_those_of_the_documents():
    assert LANGUAGES == ("en", "zh")
