# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latents out of files for an editor: every way in asks the same of them."""

import numpy as np
import pytest

from ppstyleclip.cli.mappers.mapper_data import read_latents
from ppstyleclip.errors import UserError
from ppstyleclip.files import write_safetensors
from ppstyleclip.pipelines.latent_files import load_face, load_faces


@pytest.fixture
def editor(tiny_editor):
    return tiny_editor


WAYS = (
    lambda editor, path: load_face(editor, path),
    lambda editor, path: load_faces(editor, path)[:1],
    lambda editor, path: read_latents(editor, path, "w_plus")[:1],
    lambda editor, path: read_latents(editor, path, "s")[:1],
)


@pytest.mark.parametrize("read", WAYS)
def test_a_file_of_another_generator_is_refused_in_every_way_in(editor, read):
    w_plus = editor.sample([1, 2]).numpy()
    write_safetensors("mine.safetensors", {"w_plus": w_plus}, {"generator": "0" * 16})
    with pytest.raises(UserError, match="generator 0000000000000000, but"):
        read(editor, "mine.safetensors")
    own = editor.bundle.fingerprints["generator"]
    write_safetensors("mine.safetensors", {"w_plus": w_plus}, {"generator": own})
    np.testing.assert_array_equal(read(editor, "mine.safetensors"), w_plus[:1])


@pytest.mark.parametrize("read", WAYS)
def test_a_w_is_repeated_in_every_way_in(editor, read):
    w_plus = editor.sample(1).numpy()
    np.save("w.npy", w_plus[0, 0])
    np.testing.assert_array_equal(read(editor, "w.npy"), w_plus)


@pytest.mark.parametrize("read", WAYS)
def test_a_latent_of_another_shape_is_refused_in_every_way_in(editor, read):
    np.save("w.npy", np.zeros((2, 18, 512), np.float32))
    with pytest.raises(UserError, match="shape|styles"):
        read(editor, "w.npy")


def test_tables_of_styles(editor):
    s = editor.styles(editor.sample([1, 2, 3])).numpy()
    np.save("s.npy", s)
    np.testing.assert_array_equal(load_faces(editor, "s.npy"), s)
    np.testing.assert_array_equal(load_faces(editor, "s.npy", 2), s[:2])
    np.testing.assert_array_equal(read_latents(editor, "s.npy", "s"), s)
    with pytest.raises(UserError, match="s.npy holds styles; give w_plus"):
        read_latents(editor, "s.npy", "w_plus")
    with pytest.raises(UserError, match="latent has shape"):
        load_face(editor, "s.npy")
