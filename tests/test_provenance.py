# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pictures whose files say that they are synthetic: the labels are read back, and no pixel changes."""

from __future__ import annotations

import io
import json
import re
from html import unescape

import numpy as np
import pytest
from PIL import Image

from ppstyleclip.files import encode_picture
from ppstyleclip.provenance import EDITED, Label, labelled, png_texts

PIXELS = np.random.RandomState(0).randint(0, 256, [9, 12, 3]).astype(np.uint8)
FIELDS = {
    "Label": "1",
    "ContentProducer": "a & b",
    "ProduceID": "123",
    "ReservedCode1": "",
    "ContentPropagator": "",
    "PropagateID": "",
    "ReservedCode2": "",
}
LABEL = Label(EDITED, "a & b", "123", {"note": "\u7b11\u8138"})


def xmp_of(image):
    data = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    return data.decode() if isinstance(data, bytes) else data


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_labels_are_read_back_and_pixels_stay(suffix):
    plain = encode_picture(PIXELS, suffix)
    data = labelled(plain, LABEL)
    image = Image.open(io.BytesIO(data))
    xmp = xmp_of(image)
    assert f"digitalsourcetype/{EDITED}" in xmp
    aigc = json.loads(unescape(re.search("<TC260:AIGC>(.*)</TC260:AIGC>", xmp).group(1)))
    assert aigc == FIELDS and list(aigc) == list(FIELDS)
    np.testing.assert_array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(plain))))


def test_a_png_has_the_label_and_notes_as_texts_before_its_pixels():
    data = labelled(encode_picture(PIXELS), LABEL)
    texts = png_texts(data)
    assert json.loads(texts["AIGC"]) == FIELDS and texts["note"] == "\u7b11\u8138"
    assert Image.open(io.BytesIO(data)).info["note"] == "\u7b11\u8138"
    assert data.index(b"iTXt") < data.index(b"IDAT")


def test_what_has_no_place_for_labels_stays_as_it_is():
    data = encode_picture(PIXELS, ".bmp")
    assert labelled(data, LABEL) == data and png_texts(data) == {} and png_texts(b"") == {}
