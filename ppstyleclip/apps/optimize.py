# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation as a command: presets, progress, pictures on the way, and what is left at the end."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from tqdm import tqdm

from ppstyleclip.apps.faces import save_latent
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_writable, read_file, save_png, write_atomic
from ppstyleclip.methods.descent import Adam
from ppstyleclip.methods.optimize import Settings, check_settings, directed_features, optimise
from ppstyleclip.pictures import grid, to_pixels
from ppstyleclip.text import text_direction, text_embedding
from ppstyleclip.video import save_gif, save_mp4

PRESETS = Path(__file__).parents[1] / "presets" / "optimize"
FRAMES = 48  # of an animation, at most


def known_presets() -> tuple:
    """Names of the presets."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def read_settings(preset: str, **changes) -> Settings:
    """Read a preset, by name or from a YAML file, and change some of it.

    Args:
        preset: a name of known_presets(), or the path of a file of the same form.
        changes: settings that replace the preset's; None keeps it.
    Raises:
        MissingFile: there is no such file.
        UserError: an unknown setting, or one that cannot be.
    """
    path = PRESETS / f"{preset}.yaml" if preset in known_presets() else Path(preset)
    if preset not in known_presets() and not path.suffix:
        raise UserError(f"unknown preset '{preset}', known: {', '.join(known_presets())}; or give a file of "
                        "settings (YAML)")
    try:
        words = yaml.safe_load(read_file(path)) or {}
        words["adam"] = Adam(**words.get("adam", {}))
        given = {name: value for name, value in changes.items() if value is not None}
        settings = dataclasses.replace(Settings(), **{**words, **given})
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise UserError(f"{path} holds no settings: {' '.join(str(error).split())[:160]}") from None
    check_settings(settings)
    return settings


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
        return np.concatenate([np.random.RandomState(seed).standard_normal(
            [1, editor.bundle.generator.style_dim]).astype(np.float32) for seed in seeds])
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
    import paddle

    generator = editor.bundle.generator
    if space == "z":
        with paddle.no_grad():
            latent = generator.get_latent(paddle.to_tensor(latent)).numpy()
    if space in ("z", "w"):
        latent = np.tile(latent[:, None], [1, generator.n_latent, 1])
    return editor.draw(latent)


def wanted_features(editor: Editor, start, neutral, texts, settings) -> np.ndarray:
    """What CLIP should see, `[N or 1, T, E]`: the texts, or each face moved along their directions."""
    clip, templates = editor.bundle.clip, editor.bundle.defaults.templates
    if settings.toward == 0:
        return np.stack([text_embedding(clip, text, "plain") for text in texts])[None]
    directions = [text_direction(clip, neutral, text, templates=templates) for text in texts]
    return directed_features(clip, drawn(editor, start, settings.space), directions, settings.toward)


def optimise_to_files(editor: Editor, start, texts, settings: Settings, output_path, *, neutral="face",
                      weights=None, save_every=0, animation=None, identity=None) -> Optimised:
    """Optimise latents and write final_result.png, latents, losses, and what was asked for on the way.

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
        UserError: as methods.optimize; what was written before a loss that is not finite stays.
    """
    folder = check_writable(output_path)
    features = wanted_features(editor, start, neutral, texts, settings)
    steps = optimise(editor.bundle.generator, editor.bundle.layout, editor.bundle.clip, start, features,
                     settings, weights=weights, identity=identity)
    losses, frames, written = {}, [], []
    stride = max(1, settings.steps // FRAMES)
    for step in tqdm(steps, total=settings.steps, desc="optimising"):
        for name, values in step.terms.items():
            losses.setdefault(name, []).append(np.asarray(values))
        if save_every and step.number % save_every == 0:
            written.append(folder / f"{step.number:05d}.png")
            save_png(written[-1], _row(to_pixels(step.images)))
        if animation and (step.number - 1) % stride == 0:
            frames.append(_row(to_pixels(step.images)))
        last = step.value
    before, after = (to_pixels(drawn(editor, latent, settings.space)) for latent in (start, last))
    save_png(folder / "final_result.png", grid([one for pair in zip(before, after) for one in pair], 2))
    save_latent(folder / "latent.npy", last)
    losses = {name: np.stack(values) for name, values in losses.items()}
    write_atomic(folder / "losses.csv", _table(losses).encode())
    written += [folder / name for name in ("final_result.png", "latent.npy", "losses.csv")]
    if animation:
        written.append(folder / f"way.{animation}")
        {"gif": save_gif, "mp4": save_mp4}[animation](written[-1], [*frames, _row(after)], fps=12)
    return Optimised(before, after, last, losses, tuple(written))


def _row(pixels) -> np.ndarray:
    return grid(pixels, len(pixels)) if len(pixels) > 1 else pixels[0]


def _table(losses) -> str:
    """Losses as comma-separated values, a line each step, a column for each loss and face."""
    names = [f"{name}_{k}" for name, values in losses.items() for k in range(values.shape[1])]
    lines = np.concatenate(list(losses.values()), axis=1)
    rows = [[str(number), *(f"{value:.6g}" for value in line)] for number, line in enumerate(lines, 1)]
    return "".join(",".join(row) + "\n" for row in [["step", *names], *rows])
