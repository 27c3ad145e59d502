# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The same face over several frames, and landmarks averaged over time."""

import numpy as np
import pytest

from ppstyleclip.align import (
    Face,
    follow_faces,
    smooth_along,
    smooth_faces,
    smooth_stream,
    smooth_stream_along,
)

SHAPE = np.random.RandomState(0).uniform(20, 80, (68, 2))


def face(x, y=0.0, shake=0.0):
    return Face((x, y, x + 100, y + 100), SHAPE + [x, y] + shake)


def test_the_nearest_face_is_the_same_face():
    frames = [[face(0), face(300)], [face(20), face(310)], [face(330), face(40)], [face(60)]]
    assert follow_faces(frames) == [[(0, 0), (1, 0), (2, 1), (3, 0)], [(0, 1), (1, 1), (2, 0)]]


@pytest.mark.parametrize(
    "frames, tracks",
    [
        ([[face(0)], [], [face(0)]], [[(0, 0)], [(2, 0)]]),
        ([[face(0)], [face(60)]], [[(0, 0)], [(1, 0)]]),
        ([[face(0)], [face(0, 49)]], [[(0, 0), (1, 0)]]),
        ([[face(0)], [face(30), face(10)]], [[(0, 0), (1, 1)], [(1, 0)]]),
        ([[], []], []),
    ],
)
def test_what_is_far_or_was_away_is_another_face(frames, tracks):
    assert follow_faces(frames) == tracks


def test_the_mean_is_over_as_many_frames_before_as_behind_and_falls_evenly():
    shakes = np.array([5.0, -3, 4, 1, -2])
    found = smooth_faces([[face(0, shake=one)] for one in shakes], 2)
    wanted = [5, (5 - 6 + 4) / 4, (5 - 6 + 12 + 2 - 2) / 9, (4 + 2 - 2) / 4, -2]
    np.testing.assert_allclose(
        [faces[0].landmarks - SHAPE for faces in found],
        np.broadcast_to(np.reshape(wanted, [5, 1, 1]), [5, 68, 2]),
        atol=1e-9,
    )


def test_even_movement_and_no_radius_change_nothing():
    frames = [[face(7 * k), face(400 - 5 * k)] for k in range(9)]
    for radius in (0, 3):
        for faces, before in zip(smooth_faces(frames, radius), frames):
            for one, other in zip(faces, before):
                np.testing.assert_allclose(one.landmarks, other.landmarks, atol=1e-9)
                assert one.box == other.box


def test_trembling_becomes_less():
    random = np.random.RandomState(1)
    frames = [[Face((k, 0, k + 100, 100), SHAPE + [k, 0] + random.randn(68, 2))] for k in range(40)]
    found = smooth_faces(frames, 2)
    before, after = (
        np.std([faces[0].landmarks - SHAPE - [k, 0] for k, faces in enumerate(part)][4:-4])
        for part in (frames, found)
    )
    assert after == pytest.approx(before * np.sqrt(19) / 9, rel=0.1)


@pytest.mark.parametrize("radius", [0, 1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 11])
def test_a_stream_is_smoothed_to_the_bit_as_all_frames_at_once(count, radius):
    random = np.random.RandomState(count)
    frames = [
        [
            face(300 * k + 30 * random.randn(), 5 * random.randn(), random.randn())
            for k in range(random.randint(3))
        ]
        for _ in range(count)
    ]
    whole, stream = smooth_faces(frames, radius), list(smooth_stream(iter(frames), radius))
    assert [len(faces) for faces in stream] == [len(faces) for faces in whole]
    for one, other in zip((f for faces in stream for f in faces), (f for faces in whole for f in faces)):
        np.testing.assert_array_equal(one.landmarks, other.landmarks)


def test_a_stream_holds_no_more_frames_than_smoothing_looks_ahead_to():
    asked = []

    def frames():
        for k in range(9):
            asked.append(k)
            yield [face(k)]

    stream = smooth_stream(frames(), 2)
    for k in range(5):
        next(stream)
        assert len(asked) == k + 3


@pytest.mark.parametrize("radius", [0, 1, 2, 5])
def test_what_belongs_to_faces_is_averaged_in_a_stream_as_all_at_once(radius):
    random = np.random.RandomState(radius)
    frames = [[face(3 * k), face(400 - 2 * k)] if k != 4 else [face(12)] for k in range(11)]
    values = [[random.randn(2, 3).astype(np.float32) for _ in faces] for faces in frames]
    whole = smooth_along(frames, values, radius)
    stream = list(smooth_stream_along(zip(frames, values), radius))
    assert [faces for faces, _ in stream] == frames
    for one, (_, other) in zip(whole, stream):
        np.testing.assert_array_equal(one, other)
    weights = radius + 1 - np.abs(np.arange(-radius, radius + 1))
    near = [row[0] for row in values[5 - radius : 6 + radius]]  # the first face, whole window
    mean = np.average(near, axis=0, weights=weights)
    np.testing.assert_allclose(whole[5][0], mean, atol=1e-6)
    assert (whole[3][1] == values[3][1]).all()  # the second ends here: it has no frame behind it


def test_tremble_of_latents_is_less_than_half():
    """Second differences in time of a mean over 5 frames are a ninth of those of independent ones."""
    latents = np.random.RandomState(0).randn(200, 12, 16)
    made = smooth_along([[face(0)]] * 200, [[one] for one in latents], 2)
    smoothed = np.stack([row[0] for row in made])[4:-4]

    def tremble(values):
        return np.sqrt((np.diff(values, 2, axis=0) ** 2).mean())

    assert tremble(smoothed) == pytest.approx(tremble(latents) / 9, rel=0.05)
