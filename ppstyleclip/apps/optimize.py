# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation as a command: presets, progress, pictures on the way, and what is left at the end."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from ppstyleclip.apps.faces import save_latent
from ppstyleclip.apps.presets import given, read_preset
from ppstyleclip.curves import save_curves
from ppstyleclip.editor import Editor
from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.files import check_writable, save_png, write_atomic
from ppstyleclip.methods.descent import Adam
from ppstyleclip.methods.optimize import Settings, check_settings, directed_features, optimise, places
from ppstyleclip.pictures import grid, to_pixels
from ppstyleclip.text import text_direction, text_embedding
from ppstyleclip.video import save_gif, save_mp4

FRAMES = 48  # of an animation, at most


def default_preset(bundle, *, sampled: bool) -> str:
    """The preset for a model's sampled faces, or for others: w_plus of a file, from which z cannot be had."""
    if bundle.name != "toonface":
        return "official"
    return "toonface" if sampled else "toonface_latent"


def read_settings(preset: str, **changes) -> Settings:
    """Read a preset, by name or from a YAML file, and change some of it.

    Args:
        preset: a name of known_presets("optimize"), or the path of a file of the same form.
        changes: settings that replace the preset's; None keeps it.
    Raises:
        MissingFile: there is no such file.
        UserError: an unknown setting, or one that cannot be.
    """

    def build(words):
        words["adam"] = Adam(**words.get("adam", {}))
        settings = dataclasses.replace(Settings(), **{**words, **given(changes)})
        check_settings(settings)
        return settings

    return read_preset("optimize", preset, build)


@dataclass(frozen=True, eq=False)
class Optimised:
    """What an optimisation made.

    Attributes:
        before, after: `[N, H, W, 3]` uint8, of the start and of the last update.
        latent: `[N, ...]` in the settings' space.
        losses: `{name: [steps, N]}`.
        written: the files.
    """

    before: np.ndarray
    after: np.ndarray
    latent: np.ndarray
    losses: dict
    written: tuple


def starts(editor: Editor, seeds, space, truncation=None) -> np.ndarray:
    """Latents of sampled faces in one of optimize.SPACES, as far from the mean as the model's default."""
    if space == "z":
        return np.concatenate(
            [
                np.random.RandomState(seed)
                .standard_normal([1, editor.bundle.generator.style_dim])
                .astype(np.float32)
                for seed in seeds
            ]
        )
    return in_space(editor, editor.sample(seeds, truncation=truncation).numpy(), space)


def in_space(editor: Editor, w_plus, space) -> np.ndarray:
    """w_plus `[N, L, D]` in another space: as it is, its first layer (w), or its styles (s)."""
    if space == "w_plus":
        return np.asarray(w_plus, np.float32)
    if space == "w":
        return np.asarray(w_plus, np.float32)[:, 0]
    if space == "s":
        return editor.styles(w_plus).numpy()
    raise UserError("a latent file holds w_plus, from which z cannot be had; optimise in w, w_plus or s")


def mean_start(editor: Editor, space) -> np.ndarray:
    """The mean latent, where free generation begins; in z that is 0."""
    generator = editor.bundle.generator
    if space == "z":
        return np.zeros([1, generator.style_dim], np.float32)
    return in_space(editor, np.tile(generator.mean_latent().numpy()[None], [1, generator.n_latent, 1]), space)


def drawn(editor: Editor, latent, space) -> np.ndarray:
    """Images `[N, 3, H, W]` of latents in one of optimize.SPACES."""
    return editor.draw(kept(editor, latent, space))


def kept(editor: Editor, latent, space) -> np.ndarray:
    """What other commands can read of latents in one of optimize.SPACES: w_plus, or s as it is."""
    import paddle

    generator = editor.bundle.generator
    if space == "z":
        with paddle.no_grad():
            latent = generator.get_latent(paddle.to_tensor(latent)).numpy()
    return np.tile(latent[:, None], [1, generator.n_latent, 1]) if space in ("z", "w") else latent


def wanted_features(editor: Editor, start, neutral, texts, settings) -> np.ndarray:
    """What CLIP should see: the texts `[1, T, E]`, or each face moved along their directions.

    The latter is `[1 + nearby, N, T, E]`, for the face and those near it.
    """
    clip, templates = editor.bundle.clip, editor.bundle.defaults.templates
    if settings.toward == 0:
        return np.stack([text_embedding(clip, text, "plain") for text in texts])[None]
    directions = [text_direction(clip, neutral, text, templates=templates) for text in texts]
    return np.stack(
        [
            directed_features(clip, drawn(editor, start + offset, settings.space), directions, settings)
            for offset in places(editor.bundle.generator, editor.bundle.layout, settings)
        ]
    )


def optimise_to_files(
    editor: Editor,
    start,
    texts,
    settings: Settings,
    output_path,
    *,
    neutral="face",
    weights=None,
    save_every=0,
    animation=None,
    identity=None,
) -> Optimised:
    """Optimise latents and write final_result.png, latents, losses, and what was asked for on the way.

    A run that is interrupted, or whose loss is not finite, writes what it has reached by then and raises on.

    Args:
        editor: the editor.
        start: `[N, ...]` latents in the settings' space.
        texts: the texts.
        settings: Settings.
        output_path: folder, made if need be.
        neutral: what the faces are, where settings.toward is above 0.
        weights: of the texts.
        save_every: write a picture each so many steps; 0 for none.
        animation: "gif" or "mp4" of the way; None for none.
        identity: network of the identity loss.
    Raises:
        UserError: as methods.optimize. After a loss that is not finite the files hold the last latents whose
            loss was finite.
        CannotWrite: the folder cannot be written, or the disk is full.
        KeyboardInterrupt: when the run was interrupted.
    """
    folder = check_writable(output_path)
    features = wanted_features(editor, start, neutral, texts, settings)
    steps = optimise(
        editor.bundle.generator,
        editor.bundle.layout,
        editor.bundle.clip,
        start,
        features,
        settings,
        weights=weights,
        identity=identity,
    )
    way = _Way(editor, folder, start, settings, save_every, animation)
    try:
        for step in tqdm(steps, total=settings.steps, desc="optimising"):
            way.note(step)
    except CannotWrite:
        raise
    except UserError:
        way.reached = way.evaluated  # a loss is not finite: what the last update led to is no face
        way.finish()
        raise
    except KeyboardInterrupt:
        way.finish()
        raise
    return way.finish()


class _Way:
    """What is kept of a run while it runs, and written when it ends, wherever it ends."""

    def __init__(self, editor, folder, start, settings, save_every, animation):
        self.editor, self.folder, self.settings = editor, folder, settings
        self.save_every, self.animation = save_every, animation
        self.stride = max(1, settings.steps // FRAMES)
        self.start = self.evaluated = self.reached = start
        self.losses, self.frames, self.written = {}, [], []

    def note(self, step):
        self.evaluated, self.reached = self.reached, step.value
        for name, values in step.terms.items():
            self.losses.setdefault(name, []).append(np.asarray(values))
        if self.save_every and step.number % self.save_every == 0:
            self._write(f"{step.number:05d}.png", lambda path: save_png(path, self._picture(step)))
        if self.animation and (step.number - 1) % self.stride == 0:
            self.frames.append(self._picture(step))

    def _picture(self, step):
        """The faces before the update; with nearby faces what the step saw is another's picture."""
        seen = (
            step.images
            if self.settings.nearby == 0
            else drawn(self.editor, self.evaluated, self.settings.space)
        )
        return _row(to_pixels(seen))

    def finish(self) -> Optimised:
        """Write the results of the steps so far; of none, nothing."""
        before, after = (
            to_pixels(drawn(self.editor, latent, self.settings.space))
            for latent in (self.start, self.reached)
        )
        losses = {name: np.stack(values) for name, values in self.losses.items()}
        if losses:
            pairs = [one for pair in zip(before, after) for one in pair]
            latent = kept(self.editor, self.reached, self.settings.space)
            self._write("final_result.png", lambda path: save_png(path, grid(pairs, 2)))
            self._write("latent.npy", lambda path: save_latent(path, latent))
            self._write("losses.csv", lambda path: write_atomic(path, _table(losses).encode()))
            self._write("losses.png", lambda path: save_curves(path, losses))
        if losses and self.animation:
            save, frames = {"gif": save_gif, "mp4": save_mp4}[self.animation], [*self.frames, _row(after)]
            self._write(f"way.{self.animation}", lambda path: save(path, frames, fps=12))
        return Optimised(before, after, self.reached, losses, tuple(self.written))

    def _write(self, name, save):
        save(self.folder / name)
        self.written.append(self.folder / name)


def _row(pixels) -> np.ndarray:
    return grid(pixels, len(pixels)) if len(pixels) > 1 else pixels[0]


def _table(losses) -> str:
    """Losses as comma-separated values, a line each step, a column for each loss and face."""
    names = [f"{name}_{k}" for name, values in losses.items() for k in range(values.shape[1])]
    lines = np.concatenate(list(losses.values()), axis=1)
    rows = [[str(number), *(f"{value:.6g}" for value in line)] for number, line in enumerate(lines, 1)]
    return "".join(",".join(row) + "\n" for row in [["step", *names], *rows])
