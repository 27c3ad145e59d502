# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the commands write, under the file names of PaddleGAN's tools; each function returns its paths.

The files of one function take their names together, so that a full disk leaves no new ones beside old ones.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ppstyleclip.cli.card_files import label_of
from ppstyleclip.files import all_or_nothing, save_picture, sweep_drafts, write_atomic
from ppstyleclip.pictures import enlarged, grid, offset_labels, reduced, strip
from ppstyleclip.video import VideoFile, mp4_writer, save_gif, save_mp4
from ppstyleclip.zoo import Bundle, save_generator
from ppstyleclip.zoo.bundle import TUNED_FROM

if TYPE_CHECKING:
    from ppstyleclip.card import Card
    from ppstyleclip.cli.photos import PictureFolder
    from ppstyleclip.pipelines.camera import Film
    from ppstyleclip.pipelines.editing import Move, TextEdit
    from ppstyleclip.pipelines.frames import FrameRecord
    from ppstyleclip.pipelines.inversion import FaceInversion, UnalignedFace
    from ppstyleclip.pipelines.likeness import LikenessEdit
    from ppstyleclip.pipelines.photo import PhotoEdit
    from ppstyleclip.pipelines.recipes import RecipeEdit
    from ppstyleclip.pipelines.sampling import Mixture, Sheets

PHOTO_PICTURES = ("edited.png", "side_by_side.png", "faces.png")  # that save_photo writes
GIF_SIDE = 512  # pixels; a GIF of 1024 px takes a megabyte for each picture
STRIP_STEPS = 6  # of the row of an interpolation, about
FILM_STRIP = 8  # of the row of a film


def file_words(text: str) -> str:
    """A text as a part of a file's name: letters and digits, _ between words, at most 150 of them."""
    return re.sub(r"\W+", "_", text).strip("_")[:150] or "text"


def save_latent(path: str | Path, w_plus: np.ndarray) -> Path:
    """Write w_plus as float32 `.npy`: one face `[L, D]`, as PaddleGAN does, or several `[N, L, D]`."""
    memory = io.BytesIO()
    np.save(memory, np.asarray(w_plus, np.float32))
    write_atomic(path, memory.getvalue())
    return Path(path)


def save_styles(path: str | Path, styles: Sequence[Any]) -> Path:
    """Write a list of K style tensors as `paddle.save` does."""
    import paddle

    memory = io.BytesIO()
    paddle.save(list(styles), memory)
    write_atomic(path, memory.getvalue())
    return Path(path)


@all_or_nothing()
def save_text_edit(
    folder: str | Path, made: TextEdit | RecipeEdit, card: Card | None = None, *, visible: bool = False
) -> list[Path]:
    """Write src.editing.png, dst.editing.png, dst.editing.pd and, for several strengths, strip.png.

    `card` goes into dst.editing.png; `visible` writes on the pictures that they are synthetic.
    """
    pictures = {"src.editing.png": made.before, "dst.editing.png": made.after}
    written = _save_pngs(folder, pictures, cards={"dst.editing.png": card}, visible=visible)
    written.append(save_styles(Path(folder) / "dst.editing.pd", made.styles))
    return written + (_save_strip(folder, made.pictures, made.alphas) if len(made.pictures) > 1 else [])


@all_or_nothing()
def save_move(folder: str | Path, made: Move) -> list[Path]:
    """Write src.editing.png, dst.editing.png, dst.editing.npy and, for several offsets, strip.png."""
    written = _save_pngs(folder, {"src.editing.png": made.before, "dst.editing.png": made.after})
    written.append(save_latent(Path(folder) / "dst.editing.npy", made.w_plus[-1]))
    return written + _save_strip(folder, made.pictures, made.offsets)


def _save_strip(folder: str | Path, pictures: np.ndarray, strengths: Sequence[float]) -> list[Path]:
    if len(strengths) == 1:
        return []
    return _save_pngs(folder, {"strip.png": strip(pictures, offset_labels(strengths))})


@all_or_nothing()
def save_mixture(folder: str | Path, made: Mixture) -> list[Path]:
    """Write src1.mixing.png, src2.mixing.png, dst.mixing.png and dst.mixing.npy."""
    names = ("src1.mixing.png", "src2.mixing.png", "dst.mixing.png")
    written = _save_pngs(folder, dict(zip(names, (made.first, made.second, made.pixels))))
    return [*written, save_latent(Path(folder) / "dst.mixing.npy", made.w_plus[0])]


@all_or_nothing()
def save_sheets(folder: str | Path, made: Sheets) -> list[Path]:
    """Write sample.png, sample.npy, sample_mixing_0.png and sample_mixing_1.png."""
    columns = made.config.columns
    written = _save_pngs(folder, {"sample.png": grid(made.pictures, columns)})
    written.append(save_latent(Path(folder) / "sample.npy", made.w_plus))
    sheets = {f"sample_mixing_{k}.png": grid(cells, columns + 1) for k, cells in enumerate(made.mixtures)}
    return written + _save_pngs(folder, sheets)


@all_or_nothing()
def save_inversion(
    folder: str | Path, made: FaceInversion, infix: str = "", unaligned: UnalignedFace | None = None
) -> list[Path]:
    """Write src.png (the face), dst.png (as it is drawn) and dst.npy (its latent); `infix` is ".fitting".

    With `unaligned` also src.unaligned.png and dst.unaligned.png, the same as the face stands in its photo.
    """
    pictures = {f"src{infix}.png": made.crop, f"dst{infix}.png": made.drawn}
    if unaligned is not None:
        pictures |= {"src.unaligned.png": unaligned.crop, "dst.unaligned.png": unaligned.drawn}
    written = _save_pngs(folder, pictures)
    return [*written, save_latent(Path(folder) / f"dst{infix}.npy", made.w_plus)]


@all_or_nothing()
def save_interpolation(
    folder: str | Path, pixels: np.ndarray, *, num_stops: int, steps: int, fps: float
) -> list[Path]:
    """Write strip.png, interpolation.gif and interpolation.mp4.

    Args:
        folder: made if need be.
        pixels: `[(num_stops - 1) * steps + 1, H, W, 3]` uint8, all pictures.
        num_stops, steps: faces, and pictures from each to the next.
        fps: pictures a second, 1 to 50.
    """
    chosen = strip_numbers(num_stops - 1, steps)
    labels = {k: f"{k / steps:.3g}" for k in chosen}
    return _save_motion(Path(folder), "interpolation", pixels, labels, fps)


@all_or_nothing()
def save_film(folder: str | Path, film: Film, *, fps: float) -> list[Path]:
    """Write strip.png, frames of the film under the edit's strength or seconds, camera.gif and camera.mp4."""
    count = len(film.pixels)
    chosen = sorted({k * count // FILM_STRIP for k in range(FILM_STRIP)})
    words = offset_labels(film.alphas[chosen].round(2).tolist())
    if film.edit is None:
        words = [f"{k / fps:.2g} s" for k in chosen]
    labels = dict(zip(chosen, words))
    return _save_motion(Path(folder), "camera", film.pixels, labels, fps)


def _save_motion(
    folder: Path, name: str, pixels: np.ndarray, labels: dict[int, str], fps: float
) -> list[Path]:
    """Write the labelled pictures of a film as a row, and the film twice."""
    pixels = enlarged(pixels)
    written = _save_pngs(folder, {"strip.png": strip(pixels[list(labels)], labels.values())})
    save_gif(folder / f"{name}.gif", reduced(pixels, GIF_SIDE), fps=fps)
    save_mp4(folder / f"{name}.mp4", pixels, fps=fps)
    return [*written, folder / f"{name}.gif", folder / f"{name}.mp4"]


def strip_numbers(legs: int, steps: int) -> list[int]:
    """Choose the pictures of the row: all stops, and some between that are equally far from each other.

    Args:
        legs: ways from one stop to the next.
        steps: pictures of each way; a number of them that has no divisors leaves the stops alone.
    """
    wanted = max(1, STRIP_STEPS // legs)
    divisors = (shown for shown in range(1, min(steps, 2 * wanted) + 1) if steps % shown == 0)
    shown = min(divisors, key=lambda number: (abs(number - wanted), number))
    return [k * steps // shown for k in range(legs * shown + 1)]


@all_or_nothing()
def save_photo(
    folder: str | Path,
    made: PhotoEdit,
    bundle: Bundle,
    card: Card | None = None,
    *,
    numbers: Sequence[int],
    visible: bool = False,
) -> list[Path]:
    """Write edited.png, side_by_side.png, faces.png, faces.npy, and each tuned generator.

    `card` goes into edited.png; generators are named by `numbers`, those of the faces in the photo; `visible`
    writes on the pictures that they are synthetic.
    """
    folder = Path(folder)
    rows = [
        picture
        for face, old, new in zip(made.faces, made.before, made.after)
        for picture in (face.crop, old, new)
    ]
    pair = grid([made.original, made.pixels], 2, gap=4, background=255)
    pictures = dict(zip(PHOTO_PICTURES, (made.pixels, pair, grid(rows, 3))))
    cards = {PHOTO_PICTURES[0]: card}
    written = _save_pngs(folder, pictures, is_photo=True, cards=cards, visible=visible)
    written.append(save_latent(folder / "faces.npy", made.inversion.w_plus))
    for number, own in zip(numbers, made.inversion.editors):
        if own.bundle is bundle:
            continue
        written.append(folder / f"generator_{number}.safetensors")
        origin = bundle.fingerprints.get(TUNED_FROM, bundle.fingerprints["generator"])
        save_generator(written[-1], own.bundle.generator, name=bundle.name, about={TUNED_FROM: origin})
    return written


@all_or_nothing()
def save_likeness(folder: str | Path, made: LikenessEdit, *, visible: bool = False) -> list[Path]:
    """Write edited.png (the edited portraits), side_by_side.png, faces.png (of each: photo, drawn, edited).

    Behind them faces.npy, the portraits' latents.
    """
    before = np.concatenate(list(made.before), axis=1)
    pair = grid([before, made.pixels], 1 if len(made.faces) > 1 else 2, gap=4, background=255)
    rows = [
        picture
        for face, old, new in zip(made.faces, made.before, made.after)
        for picture in (face.crop, old, new)
    ]
    named = dict(zip(PHOTO_PICTURES, (made.pixels, pair, grid(rows, 3))))
    written = _save_pngs(folder, named, visible=visible)
    return [*written, save_latent(Path(folder) / "faces.npy", made.w_plus)]


def save_frames(
    folder: str | Path,
    source: VideoFile | PictureFolder,
    records: Iterable[FrameRecord],
    *,
    visible: bool = False,
) -> tuple[list[Path], list[int]]:
    """Write pictures as they are edited: NAME.edited.png for each of a folder, edited.mp4 of a video.

    Args:
        folder: made if need be.
        source: what was edited.
        records: of pipelines.frames.edit_frames.
        visible: write on each picture that it is synthetic.
    Returns:
        (paths, how many faces were edited in each picture); all files take their names at the end.
    """
    sweep_drafts(folder)  # of a run that was killed
    done = ((record.pixels, record.num_faces) for record in records if record.pixels is not None)
    counts: list[int] = []
    if isinstance(source, VideoFile):
        (path,) = frame_paths(folder, source)
        with mp4_writer(path, fps=source.rate) as write:
            for pixels, num_faces in done:
                write(with_label(pixels) if visible else pixels)
                counts.append(num_faces)
        return [path], counts
    written = frame_paths(folder, source)
    with all_or_nothing():
        for path, (pixels, num_faces) in zip(written, done):
            save_labelled(path, pixels, is_photo=True, visible=visible)
            counts.append(num_faces)
        for _ in records:  # to its end, where it says whether there were faces at all
            pass
    return written, counts


def frame_paths(folder: str | Path, source: VideoFile | PictureFolder) -> list[Path]:
    """The files that save_frames writes."""
    if isinstance(source, VideoFile):
        return [Path(folder) / "edited.mp4"]
    return [Path(folder) / f"{name}.edited.png" for name in source.names()]


def _save_pngs(
    folder: str | Path,
    pictures: dict[str, np.ndarray],
    *,
    is_photo: bool = False,
    cards: Mapping[str, Card | None] | None = None,
    visible: bool = False,
) -> list[Path]:
    for name, pixels in pictures.items():
        card = (cards or {}).get(name)
        save_labelled(Path(folder) / name, pixels, is_photo=is_photo, card=card, visible=visible)
    return [Path(folder) / name for name in pictures]


def save_labelled(
    path: str | Path,
    pixels: np.ndarray,
    *,
    is_photo: bool = False,
    card: Card | None = None,
    visible: bool = False,
) -> None:
    """Write a picture in the format of its name, with the labels that say it is synthetic.

    Args:
        path: of the picture.
        pixels: `[H, W, 3]` uint8.
        is_photo: whether it is an edited photo, and not drawn as a whole.
        card: of its edit, which a PNG keeps.
        visible: write on the picture, too, that it is synthetic.
    """
    pixels = with_label(pixels) if visible else pixels
    save_picture(path, pixels, embed=label_of(pixels, is_photo=is_photo, card=card))


def with_label(pixels: np.ndarray) -> np.ndarray:
    """The pixels `[H, W, 3]` with words on them that say they are synthetic."""
    from ppstyleclip.card.picture import add_visible_label

    return add_visible_label(pixels)
