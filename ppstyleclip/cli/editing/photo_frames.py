# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A folder of photos or a video, edited by `ppstyleclip photo`."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ppstyleclip import __version__
from ppstyleclip.align import Face
from ppstyleclip.cli.edit_arguments import photo_config
from ppstyleclip.cli.editing.video_folder import BLOCK, VideoFolder, file_digest
from ppstyleclip.cli.photos import SMOOTH, SMOOTH_LATENTS, PictureFolder, keep_sources, open_frames
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.cli.saving import frame_paths, save_frames, with_label
from ppstyleclip.editor import Editor
from ppstyleclip.errors import one_line
from ppstyleclip.files import sweep_drafts
from ppstyleclip.pipelines.faces import load_finder
from ppstyleclip.pipelines.frame_passes import (
    FrameFaces,
    LatentsRecord,
    draw_frames,
    find_frame_latents,
    smooth_frame_latents,
)
from ppstyleclip.pipelines.frames import (
    FacesRecord,
    FrameRecord,
    FramesConfig,
    edit_frames,
    find_frame_faces,
)
from ppstyleclip.pipelines.recipes import Recipe
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.progress import last
from ppstyleclip.regions import RegionMask
from ppstyleclip.video import CODEC, H264, H264_CURE, VideoFile, mp4_codec
from ppstyleclip.video_join import KEPT_CODECS, UnreadableSound, join_videos, sound_codec
from ppstyleclip.wording import counted

TITLES = ("faces (1 of 3)", "latents (2 of 3)", "pictures (3 of 3)")


def edit_named_frames(editor: Editor, edit: Recipe, args: argparse.Namespace) -> None:
    """Edit the pictures of a folder or a video, write them, and say what was done."""
    frames = open_frames(args.photo)
    is_video = isinstance(frames, VideoFile)
    sources = [Path(args.photo)] if isinstance(frames, VideoFile) else frames.paths
    keep_sources(sources, frame_paths(args.output_path, frames))
    config = _config(args, is_video=is_video)
    if config.align == "none":
        shown = show_progress(edit_frames(editor, frames, edit, config), title="pictures")
        written, counts = save_frames(args.output_path, frames, shown, visible=args.visible_label)
        told = ["without alignment the sound is not kept"] if is_video else []
    elif isinstance(frames, VideoFile):
        written, counts, told = _edit_video(editor, edit, args, frames, config)
    else:
        written, counts, told = _edit_folder(editor, edit, args, frames, config)
    print(
        f"{edit}, {_strength(editor, edit)}, on {counted(sum(counts), 'face')} in "
        f"{sum(map(bool, counts))} of {counted(len(counts), 'picture')} of {args.photo}"
    )
    print(one_line(f"wrote {written[0]}" + f" and {len(written) - 1} more" * (len(written) > 1)))
    for line in told:
        print(line)


def _config(args: argparse.Namespace, *, is_video: bool) -> FramesConfig:
    photo = photo_config(args)
    usual = (SMOOTH, SMOOTH_LATENTS) if is_video else (0, 0)
    wished = (args.smooth, args.smooth_latents)
    smooth, smooth_latents = (own if wish is None else wish for wish, own in zip(wished, usual))
    return FramesConfig(
        photo.face,
        photo.fitting,
        photo.paste,
        smooth,
        smooth_latents=smooth_latents,
        steady=is_video,
        align=photo.align,
    )


def _edit_folder(
    editor: Editor, edit: Recipe, args: argparse.Namespace, frames: PictureFolder, config: FramesConfig
) -> tuple[list[Path], list[int], list[str]]:
    finder = load_finder(editor.bundle, args.landmark_path)
    found = find_frame_faces(editor, frames, config, finder=finder)
    faces = result_of(show_progress(found, title=TITLES[0]))
    rows = find_frame_latents(editor, frames, faces, config)
    known = [
        row.found for row in show_progress(rows, title=TITLES[1], amount=_amount) if row.found is not None
    ]
    smoothed = smooth_frame_latents(known, config.smooth_latents)
    records = draw_frames(editor, frames, smoothed, edit, config, total=len(known))
    shown = show_progress(records, title=TITLES[2])
    return (*save_frames(args.output_path, frames, shown, visible=args.visible_label), [])


def _edit_video(
    editor: Editor, edit: Recipe, args: argparse.Namespace, video: VideoFile, config: FramesConfig
) -> tuple[list[Path], list[int], list[str]]:
    codec, sound = mp4_codec(), None
    if codec == H264:
        sound = _sound_of(video)
    else:
        warnings.warn(
            f"without PyAV the video stays without sound, and browsers do not show its codec, MPEG-4 part 2; "
            f"run: {H264_CURE}",
            stacklevel=2,
        )
    sweep_drafts(args.output_path)  # of a run that was killed
    folder = VideoFolder(Path(args.output_path) / "edited.parts", _words(editor, edit, args, video, codec))
    faces = _faces(editor, args, video, config, folder)
    _find_latents(editor, video, faces, config, folder)
    parts, counts = folder.parts() if codec == H264 else ([], [])
    smoothed = smooth_frame_latents(folder.latents(), config.smooth_latents)
    total = len(faces)
    records = draw_frames(editor, video, smoothed, edit, config, total=total, start=len(counts))
    shown = show_progress(records, title=TITLES[2], initial=len(counts))
    if codec == CODEC:
        written, counts = save_frames(args.output_path, video, shown, visible=args.visible_label)
        folder.remove()
        return written, counts, []
    pictures = _pictures(shown, args.visible_label)
    for number in range(len(parts), -(-total // BLOCK)):
        folder.add_part(number, pictures, video.rate)
    for _ in pictures:  # to its end, where it says whether there were faces at all
        pass
    parts, counts = folder.parts()
    (path,) = frame_paths(args.output_path, video)
    told = _join(path, parts, video, sound)
    folder.remove()
    return [path], counts, told


def _sound_of(video: VideoFile) -> str | None:
    try:
        return sound_codec(video.path)
    except UnreadableSound as error:
        warnings.warn(f"{error}; the video stays without it", stacklevel=3)
        return None


def _join(path: Path, parts: list[Path], video: VideoFile, sound: str | None) -> list[str]:
    """Write the video with its sound; without it where that cannot be read. Returns what to say."""
    if sound is None:
        join_videos(path, parts)
        return ["it has no sound, as its source"]
    try:
        join_videos(path, parts, sound_of=video.path)
    except UnreadableSound as error:
        warnings.warn(f"{error}; the video stays without it", stacklevel=3)
        join_videos(path, parts)
        return []
    return [f"its sound is that of its source, {sound}" + ("" if sound in KEPT_CODECS else ", as AAC")]


def _words(
    editor: Editor, edit: Recipe, args: argparse.Namespace, video: VideoFile, codec: str
) -> dict[str, dict[str, Any]]:
    """What decides each stage of a video; see VideoFolder."""
    values = {name: str(value) for name, value in vars(args).items() if name not in ("photo", "output_path")}
    config = asdict(_config(args, is_video=True))
    masks = [one.region.fingerprint for one in edit.edits if isinstance(one.region, RegionMask)]
    model = {
        name: values[name]
        for name in values
        if name.endswith(("_path", "_type")) or name in ("bundle", "size")
    }
    return {
        "faces": {"video": file_digest(video.path), "face": config["face"], "version": __version__, **model},
        "latents": {
            "marks": {name: str(mark) for name, mark in editor.bundle.fingerprints.items()},
            "encoder": values["encoder"],
            "fitting": config["fitting"],
            "smooth": config["smooth"],
            "together": config["together"],
        },
        "pictures": {
            "options": values,
            "edit": repr(edit),
            "masks": masks,
            "codec": codec,
            "rate": video.rate,
        },
    }


def _faces(
    editor: Editor, args: argparse.Namespace, video: VideoFile, config: FramesConfig, folder: VideoFolder
) -> list[list[Face]]:
    """The faces of all pictures, smoothed; kept on the way."""
    known: list[Any] = list(folder.faces())
    finder = load_finder(editor.bundle, args.landmark_path)
    records = find_frame_faces(editor, video, config, finder=finder, known=tuple(known))
    num_known = len(known)

    def kept() -> Iterator[FacesRecord]:
        for record in records:
            if record.done > num_known:
                known.append(record.found)
                if len(known) % BLOCK == 0 or record.result is not None:
                    folder.add_faces(known)
            yield record

    return result_of(show_progress(kept(), title=TITLES[0], initial=num_known))


def _find_latents(
    editor: Editor, video: VideoFile, faces: list[list[Face]], config: FramesConfig, folder: VideoFolder
) -> None:
    """The latents of all faces, into the folder."""
    start = folder.num_latents()
    if start >= len(faces):
        return
    start -= start % BLOCK
    records = find_frame_latents(editor, video, faces, config, start=start)

    def kept() -> Iterator[LatentsRecord]:
        block: list[FrameFaces] = []
        for record in records:
            if record.found is not None:
                block.append(record.found)
                if record.done % BLOCK == 0 or record.done == record.total:
                    folder.add_latents(block, record.done)
                    block.clear()
            yield record

    last(show_progress(kept(), title=TITLES[1], initial=start, amount=_amount))


def _amount(record: LatentsRecord) -> tuple[float, float]:
    return round(record.done + record.part, 1), record.total


def _pictures(records: Iterable[FrameRecord], visible: bool) -> Iterator[tuple[Any, int]]:
    for record in records:
        if record.pixels is not None:
            yield (with_label(record.pixels) if visible else record.pixels), record.num_faces
        del record


def _strength(editor: Editor, edit: Recipe) -> str:
    """What the line on many pictures says of strengths."""
    if any("auto" in (one.alpha, one.beta) for one in edit.edits):
        return "strengths solved"
    return "strength " + " and ".join(f"{editor.resolve(one).alpha:g}" for one in edit.edits)
