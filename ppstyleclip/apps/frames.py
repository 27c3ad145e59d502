# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The same edit over all pictures of a folder, or all frames of a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from ppstyleclip.align import read_photo, smooth_faces
from ppstyleclip.apps.photo import chosen_faces, cut_faces, edited_photo, find_latents, load_finder
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, import_cv2, save_png

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")
MAX_FRAMES = 1000  # they are all in memory at once
SMOOTH = 2  # frames on each side of a video over which landmarks are averaged
TOGETHER = 16  # faces that are fitted in one run


def has_frames(path) -> bool:
    """Whether a path is a folder or a video rather than a photo."""
    return Path(path).is_dir() or Path(path).suffix.lower() in VIDEOS


def read_frames(path) -> tuple:
    """Read all pictures of a folder in the order of their names, or all frames of a video.

    Returns:
        (list of names, list of `[H, W, 3]` uint8, frames a second or None for a folder).
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no pictures, or more than MAX_FRAMES.
    """
    path = Path(path)
    if not path.is_dir():
        return _video_frames(check_file(path))
    found = sorted(place for place in path.iterdir() if place.suffix.lower() in PICTURES)
    if not found or len(found) > MAX_FRAMES:
        raise UserError(
            f"the folder {path} holds {len(found)} pictures; 1 to {MAX_FRAMES} can be edited at once"
        )
    return [place.stem for place in found], [read_photo(place) for place in found], None


def _video_frames(path) -> tuple:
    cv2, frames = import_cv2(), []
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS)
    while len(frames) <= MAX_FRAMES:
        is_read, frame = video.read()
        if not is_read:
            break
        frames.append(np.ascontiguousarray(frame[:, :, ::-1]))
    video.release()
    if not frames or len(frames) > MAX_FRAMES:
        held = f"more than {MAX_FRAMES} frames; cut it" if frames else "no frames that can be read"
        raise UserError(f"{path} holds {held}")
    return [f"{k:05d}" for k in range(1, len(frames) + 1)], frames, rate if rate > 0 else 25.0


def edit_frames(editor, frames, edit, *, which="largest", steps, way="blend", landmark_path=None, smooth=0):
    """Edit the faces of many pictures alike; a picture without a face stays as it is.

    Args:
        editor: Editor.
        frames: list of `[H, W, 3]` uint8.
        edit: Edit.
        which: as in align.choose_faces; a number leaves pictures with fewer faces as they are.
        steps: of fitting behind the encoder.
        way: as in align.paste_back.
        landmark_path: as in photo.load_finder.
        smooth: frames on each side over which landmarks are averaged, see align.smooth_faces.
    Returns:
        (edited frames, number of faces edited in each).
    Raises:
        UserError: none of the pictures shows a face.
    """
    finder = load_finder(editor.bundle, landmark_path)
    seen = [chosen_faces(finder, frame, which) for frame in tqdm(frames, desc="faces")]
    found = [
        cut_faces(editor.bundle, frame, faces) for frame, faces in zip(frames, smooth_faces(seen, smooth))
    ]
    crops = [face.crop for faces in found for face in faces]
    if not crops:
        raise UserError(f"none of the {len(frames)} pictures shows a face that '{editor.bundle.name}' knows")
    parts = []
    for k in tqdm(range(0, len(crops), TOGETHER), desc="latents"):
        *_, part = find_latents(editor, np.stack(crops[k : k + TOGETHER]), steps=steps)
        parts.extend(part)
    latents, edited = iter(parts), []
    for frame, faces in zip(frames, found):
        if faces:
            w_plus = np.stack([next(latents) for _ in faces])
            frame = edited_photo(editor, frame, faces, w_plus, edit, way=way)[0]
        edited.append(frame)
    return edited, [len(faces) for faces in found]


def frames_to_files(editor, path, edit, folder, *, smooth=None, **options) -> tuple:
    """Edit a folder or a video and write NAME.edited.png for each picture, or edited.mp4.

    Args:
        editor, edit, options: as in edit_frames.
        path: the folder or the video.
        folder: of the results.
        smooth: as in edit_frames; None is SMOOTH for a video, 0 for a folder.
    Returns:
        (number of faces edited in each frame, paths written).
    """
    from ppstyleclip.video import save_mp4

    folder, (names, frames, rate) = Path(folder), read_frames(path)
    smooth = SMOOTH if smooth is None and rate is not None else smooth or 0
    edited, counts = edit_frames(editor, frames, edit, smooth=smooth, **options)
    if rate is not None:
        written = [folder / "edited.mp4"]
        save_mp4(written[0], edited, fps=min(50.0, rate))
        return counts, written
    written = [folder / f"{name}.edited.png" for name in names]
    for place, picture in zip(written, edited):
        save_png(place, picture)
    return counts, written
