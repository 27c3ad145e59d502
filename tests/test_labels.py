# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Words in pictures: written where they are wanted, in a font that has their letters or not at all."""

import numpy as np
import pytest

from ppstyleclip import labels
from ppstyleclip.labels import can_write, draw_label, label_width


def white(height=40, width=200):
    return np.full([height, width, 3], 255, np.uint8)


def test_a_label_stands_in_the_middle_of_its_place():
    drawn = draw_label(white(), "alpha 3.5", (100, 20), 14)
    assert drawn.shape == (40, 200, 3) and drawn.dtype == np.uint8
    rows, columns = np.nonzero(drawn.min(axis=2) < 128)
    assert (
        abs((rows.min() + rows.max()) / 2 - 20) <= 2 and abs((columns.min() + columns.max()) / 2 - 100) <= 2
    )
    assert abs((columns.max() - columns.min()) - label_width("alpha 3.5", 14)) <= 4


def test_the_picture_itself_stays_as_it_was():
    pixels = white()
    draw_label(pixels, "x", (100, 20), 14, colour=(255, 0, 0))
    assert (pixels == 255).all()


def test_colours_are_rgb():
    drawn = draw_label(white(), "MMMM", (100, 20), 20, colour=(255, 0, 0)).reshape(-1, 3)
    assert [255, 0, 0] in drawn.tolist() and [0, 0, 255] not in drawn.tolist()


def test_english_can_be_written_everywhere():
    assert can_write("face -> happy face @ 0.5, beta 0.15") and can_write("")


def test_a_letter_that_no_font_has_cannot_be_written():
    assert not can_write("\U0010fffe")


def test_letters_are_looked_for_in_the_fonts_of_the_system(monkeypatch):
    class Font:
        def __init__(self, letters):
            self.letters = letters

        def getmask(self, letter):
            return Mask(letter if letter in self.letters else "")

    class Mask(bytes):
        def __new__(cls, text):
            self = super().__new__(cls, text.encode("utf-8"))
            self.size = (len(self), 1)
            return self

    fonts = {"latin.ttf": Font("abc"), "broken.ttf": None, "han.ttc": Font("abc微笑")}
    asked = []
    monkeypatch.setattr(labels, "_system_fonts", lambda: tuple(fonts))
    monkeypatch.setattr(labels, "_own_font", lambda size: Font("abc"))
    monkeypatch.setattr(labels, "_open_font", lambda path, size: asked.append(path) or fonts[path])
    labels._font_for.cache_clear()
    labels._font_path.cache_clear()
    try:
        assert can_write("a b c") and asked == []
        assert can_write("微笑 a") and asked[-1] == "han.ttc"
        assert not can_write("微笑 д")
    finally:
        labels._font_for.cache_clear()
        labels._font_path.cache_clear()


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_system_has_folders_of_fonts(platform, monkeypatch):
    monkeypatch.setattr(labels.sys, "platform", platform)
    assert all("ont" in str(folder) for folder in labels._font_folders())


def test_fonts_with_chinese_letters_come_first(monkeypatch, tmp_path):
    for name in ("a.ttf", "NotoSansCJK-Regular.ttc", "z.otf", "readme.txt"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(labels, "_font_folders", lambda: [tmp_path, tmp_path / "none"])
    found = labels._system_fonts.__wrapped__()
    assert [path.rpartition("/")[2] for path in found] == ["NotoSansCJK-Regular.ttc", "a.ttf", "z.otf"]
    assert labels._open_font(found[0], 12) is None, "an empty file is no font"
