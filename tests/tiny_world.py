# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A whole bundle small enough for tests: a 16 px generator and a CLIP of two layers, random but fixed."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import paddle

from ppstyleclip.engine import program_cache
from ppstyleclip.models.clip import build_clip, build_clip_with_state, clip_state
from ppstyleclip.models.stylegan2 import StyleGANv2Generator
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.zoo import EditDefaults, load, registry, save_pack

SIZE, STYLE_DIM, N_MLP = 16, 12, 2
WORDS = ["a", "face", "hair", "happy", "long", "of", "photo", "sad", "smiling", "the", "with"]
CLIP = {
    "name": "portrait",
    "embed_dim": 16,
    "image_size": 16,
    "vision_layers": 1,
    "vision_width": 64,
    "vision_patch_size": 8,
    "transformer_width": 16,
    "transformer_heads": 2,
    "transformer_layers": 1,
    "vocabulary": WORDS,
}


def _programs():
    """The folder of compiled programs: of all processes of pytest-xdist, or of this one."""
    shared = os.environ.get("PPSTYLECLIP_TEST_PROGRAMS")
    if shared:
        return Path(shared)
    own = Path(tempfile.mkdtemp(prefix="ppstyleclip-programs-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


PROGRAMS = _programs()  # compiled once for all tests of a session


def tiny_generator(seed=0):
    """A generator whose noise shows, so that noise that is not constant would be seen."""
    paddle.seed(seed)
    generator = StyleGANv2Generator(SIZE, STYLE_DIM, N_MLP, channels={4: 6, 8: 6, 16: 4})
    for name, value in generator.named_parameters():
        if name.endswith("noise.weight"):
            value.set_value(np.full([1], 0.3, np.float32))
    generator.eval()
    return generator


def tiny_clip(seed=1):
    """A CLIP as it comes from a file, with its words' tokens alone, so that both share compiled programs."""
    weights = _clip_weights(seed)
    paddle.seed(seed)  # whether they were drawn just now or before
    return build_clip_with_state(CLIP, weights)


@functools.cache
def _clip_weights(seed):
    """Drawn once: the table alone has 49,408 rows, of which a few are kept."""
    paddle.seed(seed)
    return clip_state(build_clip(CLIP))


def tiny_measurements(layout, dim=CLIP["embed_dim"], seed=2):
    """Statistics and relevance of the right shapes; the values are drawn, not measured."""
    random = np.random.RandomState(seed)
    stats = StyleStats(
        random.randn(layout.size).astype(np.float32),
        random.uniform(0.5, 2, layout.size).astype(np.float32),
        100,
    )
    relevance = random.randn(layout.num_editable, dim).astype(np.float32)
    return stats, relevance / np.linalg.norm(relevance, axis=1, keepdims=True)


def tiny_parts():
    """(generator, layout, stats, relevance, clip) that fit together."""
    generator = tiny_generator()
    layout = generator.layout
    return (generator, layout, *tiny_measurements(layout), tiny_clip())


def live_in(pack, monkeypatch, folder):
    """Let the embedded model be `pack`, and everything that is written or cached lie in `folder`.

    Compiled programs alone are shared: they are named by all that they were made of.
    """
    monkeypatch.setattr(program_cache, "cache_home", lambda: PROGRAMS)
    monkeypatch.setattr(registry, "PACK", pack)
    monkeypatch.setattr(load, "_LANDMARK_PACKAGE", "no_such_package")  # whoever has it, has dlib's model
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(folder / "cache"))
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.chdir(folder)


def save_tiny_pack(folder):
    """Write the tiny world as a pack with the few faces of seeds 0 and 1; returns the folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    files = _tiny_pack()
    paddle.seed(0)  # whether it was made just now or before
    for name, data in files.items():
        Path(folder, name).write_bytes(data)
    return folder


@functools.cache
def _tiny_pack():
    """Its files, `{name: bytes}`."""
    with tempfile.TemporaryDirectory() as folder:
        _write_tiny_pack(Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _write_tiny_pack(folder):
    generator, _, stats, relevance, clip = tiny_parts()
    z = np.random.RandomState(0).standard_normal([2, STYLE_DIM]).astype(np.float32)
    save_pack(
        folder,
        generator=generator,
        clip=clip,
        stats=stats,
        relevance=relevance,
        name="tiny",
        latents=generator.get_latents(paddle.to_tensor(z)).numpy(),
        defaults=EditDefaults(alpha=3.0, beta=0.1, unit="style", templates="plain"),
    )
