# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a picture's file says of itself: that it is synthetic, and notes such as an edit's card.

Two labels say that a picture is synthetic. China's GB 45438-2025 asks for `AIGC`, a JSON object of strings,
which TC260-PG-20258A has written into XMP; a PNG holds it as text of that name as well. IPTC's
DigitalSourceType says in XMP what kind of synthetic picture it is.

Labels are put into the bytes of an encoded picture, so that no pixel changes: a PNG's text chunks, a JPEG's
APP1 segment, a WebP's XMP chunk. A BMP has no place for any.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ppstyleclip import __version__

GENERATED, EDITED = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
PRODUCER = f"ppstyleclip {__version__}"
_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_XMP_TEXT = "XML:com.adobe.xmp"
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_LONGEST_SEGMENT = 65_533 - len(_XMP_SEGMENT)
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Label:
    """What a picture's file says of itself.

    Attributes:
        source_type: GENERATED, or EDITED for a photo.
        producer: who made it: the tool, or the operator of a service.
        produce_id: by which the producer knows it again, such as a fingerprint of its pixels.
        notes: `{name: text}` more, which a PNG alone can hold.
    """

    source_type: str = GENERATED
    producer: str = PRODUCER
    produce_id: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    def aigc(self) -> dict[str, str]:
        """The fields of GB 45438-2025: Label "1" is content that is generated for certain."""
        return {
            "Label": "1",
            "ContentProducer": self.producer,
            "ProduceID": self.produce_id,
            "ReservedCode1": "",
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        }

    def xmp(self) -> str:
        """The XMP packet."""
        aigc = escape(_compact(self.aigc()))
        kind = quoteattr(_IPTC + self.source_type)
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about=""'
            ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
            ' xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
            f" Iptc4xmpExt:DigitalSourceType={kind}>"
            f"<TC260:AIGC>{aigc}</TC260:AIGC>"
            '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
        )

    def texts(self) -> dict[str, str]:
        """`{keyword: text}` of a PNG."""
        return {_XMP_TEXT: self.xmp(), "AIGC": _compact(self.aigc()), **self.notes}


def labelled(data: bytes, label: Label) -> bytes:
    """Put a label into an encoded PNG, JPEG or WebP; anything else comes back as it is."""
    if data.startswith(_PNG):
        return _labelled_png(data, label.texts())
    if data.startswith(b"\xff\xd8"):
        return _labelled_jpeg(data, label.xmp().encode())
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _labelled_webp(data, label.xmp().encode())
    return data


def _compact(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _labelled_png(data: bytes, texts: Mapping[str, str]) -> bytes:
    start = len(_PNG) + 8 + 13 + 4  # behind the header; some readers look at texts before the pixels only
    chunks = b"".join(_png_chunk(b"iTXt", _international(name, text)) for name, text in texts.items())
    return data[:start] + chunks + data[start:]


def _international(name: str, text: str) -> bytes:
    return name.encode("latin-1") + b"\0\0\0\0\0" + text.encode()


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_texts(data: bytes) -> dict[str, str]:
    """The uncompressed international texts of a PNG, `{keyword: text}`; none of anything else."""
    found, place = {}, len(_PNG)
    while data.startswith(_PNG) and place + 12 <= len(data):
        (length,), kind = struct.unpack(">I", data[place : place + 4]), data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length]
        if kind == b"iTXt" and body.partition(b"\0")[2][:2] == b"\0\0":
            name, _, rest = body.partition(b"\0")
            found[name.decode("latin-1")] = rest[2:].split(b"\0", 2)[-1].decode("utf-8", "replace")
        place += 12 + length
    return found


def _labelled_jpeg(data: bytes, xmp: bytes) -> bytes:
    if len(xmp) > _LONGEST_SEGMENT:
        return data
    place = 2
    if data[2:4] == b"\xff\xe0":  # JFIF's own segment stays the first
        place += 2 + struct.unpack(">H", data[4:6])[0]
    body = _XMP_SEGMENT + xmp
    return data[:place] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[place:]


def _labelled_webp(data: bytes, xmp: bytes) -> bytes:
    size, kind = _webp_size(data), data[12:16]
    if size is None or kind == b"VP8X":
        return data
    width, height = (side - 1 for side in size)
    flags = struct.pack("<I", 0x04)  # there is XMP
    header = flags + width.to_bytes(3, "little") + height.to_bytes(3, "little")
    body = b"WEBP" + _riff_chunk(b"VP8X", header) + data[12:] + _riff_chunk(b"XMP ", xmp)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a simple WebP file."""
    kind, body = data[12:16], data[20:]
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
