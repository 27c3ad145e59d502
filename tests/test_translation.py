# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The table of attributes in Chinese and English, and what a CLIP of one language is told."""

from types import SimpleNamespace

import numpy as np
import paddle
import pytest

from ppstyleclip.text import text_direction, text_embedding
from ppstyleclip.translation import ADJECTIVES, NOUNS, PARTS, is_chinese, to_chinese, to_english


@pytest.mark.parametrize(
    "chinese, english",
    [
        ("脸", "face"),
        ("微笑的脸", "smiling face"),
        ("戴眼镜的脸", "face with glasses"),
        ("微笑的、卷发的女人", "smiling woman with curly hair"),
        ("老人的脸", "old face"),
        ("留着胡子和戴眼镜的男人", "man with a beard and glasses"),
        ("微笑", "smiling face"),
        ("女孩", "girl"),
        ("白色的猫", "white cat"),
    ],
)
def test_a_noun_and_its_attributes(chinese, english):
    assert to_english(chinese) == english


@pytest.mark.parametrize(
    "english, chinese",
    [
        ("face", "脸"),
        ("smiling face", "微笑的脸"),
        ("a happy woman with curly hair and glasses", "高兴、卷发、戴眼镜的女人"),
        ("face with gold hair", "金发的脸"),
        ("face with an open mouth", "张嘴的脸"),
    ],
)
def test_the_other_way_round(english, chinese):
    assert to_chinese(english) == chinese


@pytest.mark.parametrize("text", ["骑自行车的脸", "微笑的飞船", "微笑的脸在海边"])
def test_what_is_not_in_the_table_is_not_guessed(text):
    assert to_english(text) is None
    assert to_chinese("face on a bicycle") is None and to_chinese("quantum face") is None


def test_every_word_of_the_table_comes_back():
    for table in (NOUNS, ADJECTIVES, PARTS):
        for word, english in table.items():
            assert is_chinese(word) and not is_chinese(english)
            assert to_english(word) is not None
    for english in {**ADJECTIVES, **PARTS}.values():
        text = f"{english} face" if english in ADJECTIVES.values() else f"face with {english}"
        assert to_english(to_chinese(text)) == text


class Recorder:
    """A CLIP that reads one language, and remembers what it was told."""

    dim, name = 8, "recorder"

    def __init__(self, *languages):
        self.languages, self.told = languages, []

    def encode_text(self, texts):
        self.told += texts
        seeds = [np.random.RandomState(sum(map(ord, text))) for text in texts]
        return paddle.to_tensor(np.stack([seed.standard_normal(8) for seed in seeds]).astype(np.float32))


def test_an_english_clip_is_told_english_and_the_user_is_told_so():
    clip = Recorder("en")
    with pytest.warns(
        UserWarning, match="reads English alone; '戴眼镜的脸' is told to it as 'face with glasses'"
    ):
        text_direction(clip, "face", "戴眼镜的脸", templates="plain")
    assert clip.told == ["face with glasses", "face"]
    with pytest.warns(UserWarning, match="does not have '骑车的脸'; write it in English"):
        text_embedding(clip, "骑车的脸", "plain")


def test_a_chinese_clip_is_told_chinese_in_chinese_sentences():
    clip = Recorder("zh")
    with pytest.warns(UserWarning, match="reads Chinese alone; 'face' is told to it as '脸'"):
        text_direction(clip, "face", "微笑的脸")
    assert "一张微笑的脸的照片。" in clip.told and not any("photo" in text for text in clip.told)


@pytest.mark.parametrize("clip", [Recorder("en", "zh"), SimpleNamespace(encode_text=Recorder().encode_text)])
def test_a_clip_that_reads_both_or_does_not_say_is_told_what_was_written(clip, recwarn):
    text_direction(clip, "脸", "smiling face", templates="plain")
    assert not [one for one in recwarn if "reads" in str(one.message)]
