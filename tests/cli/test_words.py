# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`ppstyleclip words`: a small CLIP's words, the world's attributes, common ones of a CLIP of all words."""

import json
from types import SimpleNamespace

import pytest
from tiny_world import WORDS, live_in, save_tiny_pack

from ppstyleclip.cli.main import main
from ppstyleclip.models.clip_tokens import prompt_words
from ppstyleclip.worlds.portrait.captions.vocabulary import vocabulary
from ppstyleclip.worlds.words import known_words


@pytest.fixture(autouse=True)
def embedded(monkeypatch, tmp_path):
    live_in(save_tiny_pack(tmp_path / "pack"), monkeypatch, tmp_path)


def test_a_small_clip_lists_its_words(capsys):
    assert main(["words"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"the CLIP of 'portrait' knows {len(WORDS)} words"
    assert second == "words: " + ", ".join(sorted(WORDS))
    assert main(["words", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["words"] == [{"name": "words", "en": sorted(WORDS), "zh": []}]
    assert main(["words", "zebra"]) == 2
    assert "nothing here is called 'zebra'" in capsys.readouterr().err


def test_the_portrait_worlds_attributes_come_with_their_phrases():
    own = SimpleNamespace(name="portrait", vocabulary=frozenset(prompt_words(" ".join(vocabulary()))))
    rows = {name: (english, chinese) for name, english, chinese in known_words(own).rows}
    assert "glasses" in rows["glasses"][0] and "戴眼镜" in rows["glasses"][1] and "face" in rows["face"][0]
    assert {name for name, _, _ in known_words(own).find("戴墨镜").rows} == {"sunglasses"}


@pytest.mark.parametrize("language, word", [("en", "English"), ("zh", "Chinese")])
def test_a_clip_of_all_words_lists_common_attributes(language, word):
    known = known_words(SimpleNamespace(name="all", vocabulary=None, languages=(language,)))
    assert f"reads any words in {word}" in known.about
    assert ("with", ("glasses",), ("戴眼镜", "眼镜")) in known.rows
