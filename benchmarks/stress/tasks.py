# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The work that threads, requests and processes do at once, with what a single thread makes of it."""

from __future__ import annotations

import os
from pathlib import Path

from ppstyleclip.threads import import_paddle

paddle = import_paddle()

import numpy as np  # noqa: E402

from ppstyleclip import Edit, Editor, engine  # noqa: E402
from ppstyleclip.models.stylegan2 import StyleGANv2Generator  # noqa: E402
from ppstyleclip.pictures import to_pixels  # noqa: E402
from ppstyleclip.stylespace import StyleStats  # noqa: E402
from ppstyleclip.zoo import Bundle, load_bundle  # noqa: E402

FACES = 8
EDIT = Edit("face", "happy face", alpha=3.0, beta=0.0)


class Task:
    """Work on one of FACES faces: a callable that gives "right", "wrong" or the error.

    Attributes:
        word: what one piece of it is called.
        faces: of each, what `make` takes.
        expected: of each, the pixels that eager mode draws in one thread.
    """

    word: str

    def __init__(self, generator: StyleGANv2Generator) -> None:
        self.generator = generator
        self.faces: list = []
        self.expected: list[np.ndarray] = []

    def compile(self, folder: Path) -> None:
        """Take programs from this folder from now on; they are made when they are needed."""
        raise NotImplementedError

    def make(self, face) -> np.ndarray:
        """Draw one face."""
        raise NotImplementedError

    def __call__(self, k: int) -> str:
        try:
            pixels = self.make(self.faces[k % FACES])
        except Exception as error:
            return f"{type(error).__name__}: {' '.join(str(error).split())[-80:]}"
        is_right = np.abs(pixels.astype(int) - self.expected[k % FACES]).max() <= 1
        return "right" if is_right else "wrong"


class DrawTask(Task):
    """Styles, drawn by the engine."""

    word = "picture"

    def __init__(self, generator: StyleGANv2Generator) -> None:
        super().__init__(generator)
        styles = draw_styles(generator)
        self.faces = [[style[k : k + 1] for style in styles] for k in range(FACES)]
        self.expected = [eager(generator, face).astype(int) for face in self.faces]

    def compile(self, folder: Path) -> None:
        self.draw = engine.compile_synthesis(self.generator, folder=folder)

    def make(self, face) -> np.ndarray:
        return to_pixels(self.draw(face))


class EditTask(Task):
    """Faces, edited by an Editor; the pixels are those before the edit and after it."""

    word = "edit"

    def __init__(self, generator: StyleGANv2Generator) -> None:
        super().__init__(generator)
        layout, clip = generator.layout, load_bundle().clip
        styles = np.concatenate(draw_styles(generator), axis=1)
        stats = StyleStats(styles.mean(axis=0), styles.std(axis=0), FACES)
        rows = np.random.RandomState(1).randn(layout.num_editable, clip.dim).astype(np.float32)
        relevance = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self.bundle = Bundle("random", generator, layout, stats, relevance, clip)
        self.faces = [styles[k : k + 1] for k in range(FACES)]
        step = Editor(self.bundle).step(EDIT)
        for face in self.faces:
            drawn = [eager(generator, layout.unflatten(one)) for one in (face, face + step)]
            self.expected.append(np.concatenate(drawn).astype(int))

    def compile(self, folder: Path) -> None:
        os.environ["PPSTYLECLIP_HOME"] = str(folder)
        self.editor = Editor(self.bundle)

    def make(self, face) -> np.ndarray:
        return np.stack(self.editor.edit(face, EDIT))


def random_generator(size: int) -> StyleGANv2Generator:
    """A generator with narrow layers and weights that were drawn."""
    paddle.seed(0)
    channels = {side: max(8, 512 // side) for side in (4, 8, 16, 32, 64, 128, 256, 512, 1024)}
    generator = StyleGANv2Generator(size, 64, 4, channels=channels)
    generator.eval()
    return generator


@paddle.no_grad()
def draw_styles(generator: StyleGANv2Generator) -> list[np.ndarray]:
    """Styles of FACES sampled faces."""
    z = np.random.RandomState(0).randn(FACES, generator.style_dim).astype(np.float32)
    return [style.numpy() for style in generator.style_affine(generator.get_latent(paddle.to_tensor(z)))]


@paddle.no_grad()
def eager(generator: StyleGANv2Generator, styles: list) -> np.ndarray:
    """Pixels of styles as eager mode draws them."""
    tensors = [paddle.to_tensor(style) for style in styles]
    return to_pixels(generator.synthesis_from_styles(tensors, noise="const"))


TASKS = {"draw": DrawTask, "edit": EditTask}
