# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A checkout without Git LFS has a few lines of text in a file's place: each reader says so, and the cure."""

import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import pytest
from tiny_world import tiny_generator

from ppstyleclip.align import read_photo
from ppstyleclip.align.faces import read_landmarks
from ppstyleclip.cli.main import run_command
from ppstyleclip.cli.photos import read_frames
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, load_pixels, read_file, read_metadata, read_safetensors
from ppstyleclip.formats import load_arrays, load_bank, load_directions, load_latent, load_weights, sniff
from ppstyleclip.formats.sniff import SAYS, sniff_bytes
from ppstyleclip.pipelines.presets import read_optimization_preset
from ppstyleclip.zoo import (
    load_bundle,
    load_clip,
    load_encoder,
    load_generator,
    load_identity,
    load_mapper,
    read_relevance,
    read_stats,
    read_styles,
)

POINTER = b"""version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""
READERS = (
    check_file,
    read_file,
    sniff,
    read_safetensors,
    read_metadata,
    load_arrays,
    load_weights,
    load_latent,
    load_bank,
    load_directions,
    load_pixels,
    read_photo,
    read_landmarks,
    read_optimization_preset,
    load_generator,
    load_clip,
    load_encoder,
    load_identity,
    load_mapper,
    read_frames,
    lambda path: load_bundle(weight_path=path),
    *(
        lambda path, read=read: read(path, tiny_generator().layout, name="tiny")
        for read in (read_stats, read_relevance, read_styles)
    ),
)


@pytest.mark.parametrize("read", READERS)
def test_every_reader_names_it_and_its_cure(tmp_path, read):
    path = tmp_path / "file.yaml"
    path.write_bytes(POINTER)
    with pytest.raises(UserError, match=r"file.yaml is a Git LFS pointer, .*git lfs pull") as error:
        read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "command", [["convert", "x.pt", "out.safetensors"], ["edit", "x.pt", "--target", "x"]]
)
def test_commands_too(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.pt").write_bytes(POINTER)
    assert run_command(command[0], command[1:]) == 2
    assert capsys.readouterr().err.startswith("error: x.pt is a Git LFS pointer")
    assert [path.name for path in tmp_path.iterdir()] == ["x.pt"]


def test_its_first_bytes_tell_it():
    assert sniff_bytes(POINTER) == "git-lfs" and "Git LFS" in SAYS["git-lfs"]
