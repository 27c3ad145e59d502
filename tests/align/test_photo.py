# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The pictures that users bring: each is read as a viewer shows it, or refused with one line."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from ppstyleclip import memory, pictures
from ppstyleclip.align import photo, read_photo
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.pictures import FORMATS, SUFFIXES

WIDTH, HEIGHT = 40, 24


@pytest.fixture
def picture():
    """Smooth colours, so that lossy files stay near."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([4 * x + 40, 5 * y + 60, 200 - 2 * x - 2 * y], 2).astype(np.uint8)


def _save(path, image, **options):
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


def _apart(a, b):
    assert a.dtype == np.uint8 and a.shape == b.shape
    return np.abs(a.astype(int) - b).max()


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.webp"])
def test_lossless_pictures_keep_every_bit(tmp_path, picture, name):
    options = {"lossless": True} if name.endswith("webp") else {}
    assert _apart(read_photo(_save(tmp_path / name, picture, **options)), picture) == 0


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "YCbCr"])
def test_jpeg_of_any_colours(tmp_path, picture, mode):
    path = _save(tmp_path / "a.jpg", Image.fromarray(picture).convert(mode), quality=98, subsampling=0)
    assert _apart(read_photo(path), picture) <= 6


@pytest.mark.parametrize("orientation, turned", [
    (1, lambda p: p), (2, lambda p: p[:, ::-1]), (3, lambda p: p[::-1, ::-1]), (4, lambda p: p[::-1]),
    (5, lambda p: p.swapaxes(0, 1)), (6, lambda p: np.rot90(p, -1)),
    (7, lambda p: p[::-1, ::-1].swapaxes(0, 1)), (8, lambda p: np.rot90(p))])  # fmt: skip
def test_exif_orientation_is_applied(tmp_path, picture, orientation, turned):
    exif = Image.Exif()
    exif[0x112] = orientation
    assert _apart(read_photo(_save(tmp_path / "a.png", picture, exif=exif)), turned(picture)) == 0


def test_odd_exif_is_no_obstacle(tmp_path, picture):
    path = _save(tmp_path / "a.jpg", picture, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03", quality=98)
    assert read_photo(path).shape == picture.shape


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_becomes_three_equal_channels(tmp_path, picture, mode):
    grey = Image.fromarray(picture).convert(mode)
    got = read_photo(_save(tmp_path / "a.png", grey))
    np.testing.assert_array_equal(got, np.asarray(grey.convert("L"))[:, :, None].repeat(3, 2))


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_sixteen_bits_of_grey_are_rounded(tmp_path, name):
    deep = np.linspace(0, 65535, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.uint16)
    got = read_photo(_save(tmp_path / name, deep))
    np.testing.assert_array_equal(got, np.round(deep / 257).astype(np.uint8)[:, :, None].repeat(3, 2))


def test_sixteen_bits_of_colour(tmp_path, picture):
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in picture)
    path = tmp_path / "a.png"
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )
    assert _apart(read_photo(path), picture) <= 1


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_transparent_parts_lie_on_white(tmp_path, picture):
    alpha = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    alpha[:12], alpha[12:16] = 0, 128
    got = read_photo(_save(tmp_path / "a.png", np.concatenate([picture, alpha], 2)))
    assert (got[:12] == 255).all() and _apart(got[16:], picture[16:]) == 0
    assert _apart(got[12:16], np.round((picture[12:16] + 254.0) / 2)) <= 1


def test_palette_with_a_transparent_colour(tmp_path):
    image = Image.new("P", (WIDTH, HEIGHT), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.paste(0, (0, 0, 20, HEIGHT))
    got = read_photo(_save(tmp_path / "a.png", image, transparency=0))
    assert (got[:, :20] == 255).all() and (got[:, 20:] == [10, 20, 30]).all()


def test_the_first_frame_of_an_animation(tmp_path):
    first, second = (Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "blue"))
    path = tmp_path / "a.gif"
    first.save(path, save_all=True, append_images=[second])
    assert (read_photo(path) == [255, 0, 0]).all()


def test_a_colour_profile_is_used_and_a_broken_one_left_aside(tmp_path, picture):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, green = bytes(srgb).index(b"rXYZ") + 4, bytes(srgb).index(b"gXYZ") + 4
    swapped = bytearray(srgb)  # a profile whose red is green
    swapped[red : red + 8], swapped[green : green + 8] = srgb[green : green + 8], srgb[red : red + 8]
    assert _apart(read_photo(_save(tmp_path / "a.png", picture, icc_profile=srgb)), picture) <= 2
    assert (
        _apart(
            read_photo(_save(tmp_path / "b.png", picture, icc_profile=bytes(swapped))),
            picture[:, :, [1, 0, 2]],
        )
        <= 2
    )
    assert _apart(read_photo(_save(tmp_path / "c.png", picture, icc_profile=b"junk" * 50)), picture) == 0


def test_forty_megapixels_are_read(tmp_path):
    assert read_photo(_save(tmp_path / "a.png", Image.new("L", (8000, 5000)))).shape == (5000, 8000, 3)


def _encoded(kind, **options):
    buffer, noise = io.BytesIO(), np.random.RandomState(0).randint(0, 255, (80, 80, 3), np.uint8)
    Image.fromarray(noise).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("name, data, words", [
    ("text.jpg", b"Dear photo,\n", "is not a picture"),
    ("empty.png", b"", "is empty"),
    ("half.jpg", _encoded("JPEG")[:2000], "is a damaged picture"),
    ("half.png", _encoded("PNG")[:9000], "is a damaged picture"),
    ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "save it as JPEG"),
    ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a picture"),
])  # fmt: skip
def test_what_is_no_picture_gets_one_line(tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UserError, match=words) as caught:
        read_photo(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("size, mode, words", [
    ((1, 1), "RGB", "only 1x1 pixels"),
    ((12000, 9000), "1", "12000x9000 pixels, more than 80 megapixels"),
    ((20000, 20000), "1", "more than 80 megapixels"),
    ((WIDTH, HEIGHT), "F", "numbers instead of colours"),
])  # fmt: skip
def test_what_is_too_small_or_large_or_odd_gets_one_line(tmp_path, size, mode, words):
    is_large = size[0] * size[1] > 10**6
    image = Image.new(mode, (8, 8) if is_large else size)
    path = _save(tmp_path / ("a.tiff" if mode == "F" else "a.png"), image)
    if is_large:
        claim_size(path, size)
    with pytest.raises(UserError, match=words):
        read_photo(path)


def claim_size(path, size):
    """Change the size that a PNG says it has."""
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", *size)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


@pytest.mark.parametrize("data, words", [
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\nshowpage\n", "is a PostScript or PDF document"),
    (b"\xc5\xd0\xd3\xc6" + bytes(60), "is a PostScript or PDF document"),
    (b"%PDF-1.7\n", "is a PostScript or PDF document"),
    (b"8BPS\0\1" + bytes(60), "is a Photoshop file"),
    (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60), "is a JPEG 2000 picture"),
    (b"\0\0\0\x18ftypisom" + bytes(60), "is a video"),
    (b"\n\1\1\1" + bytes(120), "is not a picture"),  # PCX, which Pillow would read
    (b"qoif" + bytes(60), "is not a picture"),
    (b"BM", "is not a picture"),
    (b"BM" + b"x" * 60, "is a damaged picture"),
    (b"P5 99999 99999 255\n", "megapixels"),
    (b"II*\0\xff\xff\xff\x7f", "is a damaged picture"),
])  # fmt: skip
def test_only_listed_formats_are_opened_whatever_the_name(tmp_path, monkeypatch, data, words):
    monkeypatch.setattr(subprocess, "Popen", None)  # nothing is started, Ghostscript least of all
    monkeypatch.setattr(os, "system", None)
    (tmp_path / "photo.jpg").write_bytes(data)
    with pytest.raises(UserError, match=words) as caught:
        read_photo(tmp_path / "photo.jpg")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF"])
def test_listed_formats_are_told_by_their_content(tmp_path, picture, kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    path = tmp_path / "photo.svg"
    Image.fromarray(picture).save(path, kind)
    assert _apart(read_photo(path), picture) <= 40  # GIF has 256 colours
    assert kind in [one.name for one in FORMATS]
    assert f".{kind.lower()}" in SUFFIXES


def test_memory_counts_as_well_as_pixels(tmp_path, monkeypatch):
    path = _save(tmp_path / "a.png", Image.new("L", (3000, 2000)))
    monkeypatch.setattr(memory, "free_memory", lambda: 50_000_000)
    with pytest.raises(UserError, match="3000x2000 pixels and needs 60 MB of memory, 50 MB are free"):
        read_photo(path)
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 10_000_000)
    with pytest.raises(UserError, match="needs 60 MB of memory, 10 MB are allowed"):
        read_photo(path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "I;16"])
def test_bands_make_no_difference(tmp_path, monkeypatch, picture, mode):
    deep = picture[:, :, 0].astype(np.uint16) * 257
    image = Image.fromarray(deep if mode == "I;16" else picture)
    image = image if mode == "I;16" else image.convert(mode)
    path = _save(tmp_path / "a.tiff", image)
    whole = read_photo(path)
    monkeypatch.setattr(photo, "BAND_PIXELS", 3 * WIDTH)
    np.testing.assert_array_equal(read_photo(path), whole)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="a peak of memory is read from /proc")
def test_deep_grey_of_79_megapixels_stays_small(tmp_path):
    deep = np.full([7900, 10000], 30000, np.uint16)
    deep[0] = np.arange(10000)
    path = _save(tmp_path / "a.png", deep, compress_level=1)
    code = (
        "import sys\nfrom ppstyleclip.align import read_photo\n"
        "print(read_photo(sys.argv[1]).shape)\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    shape, peak = done.stdout.splitlines()
    assert shape == "(7900, 10000, 3)" and int(peak) < 900_000  # kB; 237 MB of it are the result


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(MissingFile, match="no file"):
        read_photo(tmp_path / "no.jpg")
    with pytest.raises(MissingFile, match="folder"):
        read_photo(tmp_path)
