# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What is done of a video that is being edited, kept on disk so that it goes on where it was stopped.

    edited.parts/faces/     landmarks as they were found, BLOCK pictures in each file
    edited.parts/latents/   smoothed landmarks and latents
    edited.parts/pictures/  part-00000.mp4 ..., and how many faces each picture has

Each of the three is a job folder (jobs/folder.py). Its manifest names what decides its content, so another
text draws the pictures anew and keeps the latents. All of it is removed once edited.mp4 is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.align import Face
from ppstyleclip.errors import UserError
from ppstyleclip.jobs.folder import JobFolder, read_job
from ppstyleclip.pipelines.frame_passes import FrameFaces
from ppstyleclip.video import mp4_writer

BLOCK = 64  # pictures in each file; so many are lost at most
STAGES = ("faces", "latents", "pictures")
_ONE_READ = 2**20


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(_ONE_READ):
            digest.update(part)
    return digest.hexdigest()


class VideoFolder:
    """The three job folders of one video.

    Args:
        path: where they are, or will be.
        words: for each of STAGES what decides it beside what decides those before it; JSON can hold it.
    """

    def __init__(self, path: Path, words: dict[str, dict[str, Any]]):
        self.path, self._jobs, known = path, {}, ""
        for stage in STAGES:
            known = hashlib.sha256((known + json.dumps(words[stage], sort_keys=True)).encode()).hexdigest()
            job = JobFolder(path / stage, {"kind": "video", "stage": stage, "words": known})
            self._jobs[stage] = job
            if not _is_same(job):
                shutil.rmtree(job.path, ignore_errors=True)

    def remove(self) -> None:
        """Remove all of it."""
        for job in self._jobs.values():
            shutil.rmtree(job.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def faces(self) -> list[list[Face]]:
        """The faces of the first pictures, as far as they are known."""
        return [faces for block in self._blocks("faces") for faces in _unpacked(block)]

    def add_faces(self, faces: Sequence[Sequence[Face]]) -> None:
        """Keep the last block of what is known; called for each BLOCK pictures, and at the end."""
        self._write("faces", len(faces), _packed(faces[(len(faces) - 1) // BLOCK * BLOCK :]))

    def num_latents(self) -> int:
        """Of how many pictures the latents are known."""
        return sum(len(block["counts"]) for block in self._blocks("latents"))

    def latents(self) -> Iterator[FrameFaces]:
        """The latents of the first pictures, read block by block."""
        for block in self._blocks("latents"):
            ends = np.cumsum(block["counts"])[:-1]
            for faces, w_plus in zip(_unpacked(block), np.split(block["w_plus"], ends)):
                yield FrameFaces(faces, w_plus)

    def add_latents(self, block: Sequence[FrameFaces], done: int) -> None:
        """Keep the latents of up to BLOCK pictures, the last of which is number `done`, from 1."""
        rows = [one.w_plus for one in block if len(one.w_plus)] or [np.zeros([0, 0, 0], np.float32)]
        packed = {**_packed([one.faces for one in block]), "w_plus": np.concatenate(rows)}
        self._write("latents", done, packed)

    def parts(self) -> tuple[list[Path], list[int]]:
        """The parts of the video that are whole, and how many faces were edited in each of their pictures."""
        paths: list[Path] = []
        counts: list[int] = []
        for number, block in enumerate(self._blocks("pictures")):
            path = self._part(number)
            if not path.is_file() or file_digest(path) != bytes(block["digest"]).hex():
                break
            paths.append(path)
            counts += block["counts"].tolist()
        return paths, counts

    def add_part(self, number: int, pictures: Iterator[tuple[np.ndarray, int]], rate: float) -> int:
        """Write the next pictures, BLOCK at most and at least one, as a part; returns how many there were."""
        self._jobs["pictures"].path.mkdir(parents=True, exist_ok=True)
        counts, path = [], self._part(number)
        with mp4_writer(path, fps=rate) as write:
            for pixels, num_faces in itertools.islice(pictures, BLOCK):
                write(pixels)
                counts.append(num_faces)
                del pixels
        digest = np.frombuffer(bytes.fromhex(file_digest(path)), np.uint8)
        done = number * BLOCK + len(counts)
        self._write("pictures", done, {"counts": np.array(counts, np.int64), "digest": digest})
        return len(counts)

    def _part(self, number: int) -> Path:
        return self._jobs["pictures"].path / f"part-{number:05d}.mp4"

    def _write(self, stage: str, done: int, arrays: dict[str, np.ndarray]) -> None:
        job, number = self._jobs[stage], (done - 1) // BLOCK
        if not number:
            job.write_manifest()
        job.write_block(number, arrays)

    def _blocks(self, stage: str) -> Iterator[dict[str, np.ndarray]]:
        """The blocks that are there, from the first on; the one that is not full is the last."""
        for number in itertools.count():
            block = self._jobs[stage].read_block(number)
            if block is None:
                return
            yield block
            if len(block["counts"]) < BLOCK:
                return


def _is_same(job: JobFolder) -> bool:
    """Whether what is in a folder, if anything, belongs to this job."""
    try:
        found = read_job(job.path)
    except UserError:  # a damaged manifest
        return False
    return found is not None and found.job == job.job


def _packed(faces: Sequence[Sequence[Face]]) -> dict[str, np.ndarray]:
    flat = [face for row in faces for face in row]
    sure = [np.nan if face.confidence is None else face.confidence for face in flat]
    return {
        "counts": np.array([len(row) for row in faces], np.int64),
        "boxes": np.array([face.box for face in flat], np.float64).reshape(-1, 4),
        "landmarks": np.array([face.landmarks for face in flat], np.float64).reshape(-1, 68, 2),
        "confidence": np.array(sure, np.float64),
    }


def _unpacked(block: dict[str, np.ndarray]) -> list[list[Face]]:
    flat = (
        Face(tuple(box.tolist()), landmarks, None if np.isnan(sure) else float(sure))
        for box, landmarks, sure in zip(block["boxes"], block["landmarks"], block["confidence"])
    )
    return [list(itertools.islice(flat, int(count))) for count in block["counts"]]
