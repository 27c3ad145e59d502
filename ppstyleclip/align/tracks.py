# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces over time: link a face of one frame to the next, and average its trembling away."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ppstyleclip.align.faces import Face

REACH = 0.5  # of a box's side: how far a face may move from one frame to the next


def smooth_faces(frames: Sequence[Sequence[Face]], radius: int) -> list[list[Face]]:
    """Average each face's landmarks over the frames before and after it, as smooth_along does.

    Args:
        frames: list, for each frame, of lists of faces.Face.
        radius: frames on each side, at most; 0 changes nothing.
    Returns:
        the same lists with smoothed landmarks.
    """
    means = smooth_along(frames, [[face.landmarks for face in faces] for faces in frames], radius)
    return [_with_landmarks(faces, points) for faces, points in zip(frames, means)]


def _with_landmarks(faces: Sequence[Face], points: Sequence[np.ndarray]) -> list[Face]:
    return [dataclasses.replace(face, landmarks=mean) for face, mean in zip(faces, points)]


def smooth_along(
    frames: Sequence[Sequence[Face]], values: Sequence[Sequence[np.ndarray]], radius: int
) -> list[list[np.ndarray]]:
    """Average what belongs to each face, such as its latent, over the frames before and after it.

    Weights fall evenly to both sides, which leaves less trembling than a plain mean of as many frames does. A
    face is followed as long as its box moves by less than REACH of its side; near the ends of what is
    followed as few frames are taken on the one side as there are on the other, so what moves evenly stays
    where it is.

    Args:
        frames: for each frame, its faces.
        values: for each frame, an array of each face, all of one shape.
        radius: frames on each side, at most; 0 changes nothing.
    Returns:
        the values, averaged.
    """
    smoothed = [list(row) for row in values]
    for track in follow_faces(frames):
        own = np.stack([values[time][place] for time, place in track])
        for k, (time, place) in enumerate(track):
            near = min(radius, k, len(track) - 1 - k)
            weights = near + 1 - np.abs(np.arange(-near, near + 1))
            mean = np.average(own[k - near : k + near + 1], axis=0, weights=weights)
            smoothed[time][place] = mean.astype(own.dtype, copy=False)
    return smoothed


def smooth_stream(frames: Iterable[Sequence[Face]], radius: int) -> Iterator[list[Face]]:
    """Smooth as smooth_faces does, frame by frame, as soon as `radius` frames behind a frame are there."""
    pairs = ((faces, [face.landmarks for face in faces]) for faces in frames)
    for faces, points in smooth_stream_along(pairs, radius):
        yield _with_landmarks(faces, points)


def smooth_stream_along(
    pairs: Iterable[tuple[Sequence[Face], Sequence[np.ndarray]]], radius: int
) -> Iterator[tuple[Sequence[Face], list[np.ndarray]]]:
    """Average as smooth_along does, frame by frame, as soon as the `radius` frames behind a frame are there.

    A face's mean looks at most `radius` frames to each side, and links between frames look at two of them, so
    a window of `2 * radius + 1` frames gives the very same numbers as all frames at once.

    Args:
        pairs: for each frame, its faces and an array of each.
        radius: frames on each side, at most.
    Yields:
        (faces, the averaged arrays) of each frame.
    """
    window: deque[tuple[Sequence[Face], Sequence[np.ndarray]]] = deque(maxlen=2 * radius + 1)
    ahead = 0  # frames in the window that were not yielded yet

    def smoothed(part: Sequence[tuple[Sequence[Face], Sequence[np.ndarray]]], place: int):
        means = smooth_along([faces for faces, _ in part], [values for _, values in part], radius)
        return part[place][0], means[place]

    for pair in pairs:
        window.append(pair)
        ahead += 1
        if ahead > radius:
            yield smoothed(window, -ahead)
            ahead -= 1
    for left in range(ahead, 0, -1):
        yield smoothed(list(window)[-(left + radius) :], -left)


def follow_faces(frames: Sequence[Sequence[Face]]) -> list[list[tuple[int, int]]]:
    """Link faces of successive frames, the nearest first.

    Args:
        frames: as in smooth_faces.
    Returns:
        list of tracks, each a list of (frame, place in its list) of successive frames.
    """
    tracks: list[list[tuple[int, int]]] = []
    last: dict[int, list[tuple[int, int]]] = {}  # place in the frame before -> its track
    for time, faces in enumerate(frames):
        before, last = last, {}
        pairs = sorted(
            (_distance(frames[time - 1][there], face), there, here)
            for there in before
            for here, face in enumerate(faces)
        )
        for distance, there, here in pairs:
            if distance < REACH and there in before and here not in last:
                last[here] = before.pop(there)
        for here in range(len(faces)):
            if here not in last:
                last[here] = []
                tracks.append(last[here])
            last[here].append((time, here))
    return tracks


def _distance(first: Face, second: Face) -> float:
    """Between two boxes' middles, in sides of the first."""
    (left, top, right, bottom), other = first.box, second.box
    across, down = (other[0] + other[2] - left - right) / 2, (other[1] + other[3] - top - bottom) / 2
    return float(np.hypot(across, down) / (right - left))
