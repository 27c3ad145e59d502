# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A pickle of StyleGAN3-R through all that docs/en_US/stylegan3.md prints, at 16 px."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from nvidia_files import nested, save_nvidia
from stylegan3_encoder import add_restyle
from stylegan3_files import as_nvidia_saves
from stylegan3_world import LAYERS, STYLE_DIM, tiny_stylegan3
from tiny_world import live_in, tiny_clip

from ppstyleclip.align import crop_mask
from ppstyleclip.align.crop import align_face
from ppstyleclip.cli.main import run_command
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.zoo import save_clip

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("always::UserWarning")]  # faces are drawn badly
MODEL = ["--bundle", "model"]
TARGET = ["--target", "happy face"]
FACES = ["--landmarks", "marks.json"]
TRAINING = ["--max_steps", "4", "--batch_size", "2", "--train_dataset_size", "4", "--test_dataset_size", "2"]


def run(command, *words):
    assert run_command(command, [str(word) for word in words]) == 0, (command, words)


def read(path):
    return cv2.imread(str(path))[:, :, ::-1]


def test_from_the_pickle_to_edited_photos(tmp_path, monkeypatch, capsys):
    live_in(tmp_path, monkeypatch, tmp_path)
    generator = tiny_stylegan3("R")
    save_nvidia("sg3-r.pkl", {"G_ema": nested(as_nvidia_saves(generator))})
    save_clip("tiny_clip.safetensors", tiny_clip())
    scene = draw_scene(11, faces=2, width=320, height=240, sides=(90, 110))
    cv2.imwrite("scene.png", scene.pixels[:, :, ::-1])
    Path("marks.json").write_text(json.dumps([face.landmarks.tolist() for face in scene.faces]))

    run("convert", "sg3-r.pkl", "model/generator.safetensors")
    add_restyle(Path("model"), generator)
    run("statistics", *MODEL, "--num_samples", "60")
    run("relevance", *MODEL, "--clip", "tiny_clip.safetensors", "--num_images", "2")
    said = capsys.readouterr().out
    assert "StyleGAN3-R generator (NVIDIA's), 16 px" in said
    assert f"{generator.layout.num_editable} channels" in said

    run("edit", "5", *MODEL, *TARGET, "-o", "matrix.png")
    run("edit", "5", *MODEL, *TARGET, "--relevance", "instant", "-o", "instant.png")
    run("invert", *MODEL, "--input_image", "scene.png", *FACES, "--face", "1", "--output_path", "inverted")
    w_plus = np.load("inverted/dst.npy")
    assert w_plus.shape[-2:] == (LAYERS, STYLE_DIM)
    names = ["dst.npy", "dst.png", "dst.unaligned.png", "src.png", "src.unaligned.png"]
    assert sorted(path.name for path in Path("inverted").iterdir()) == names
    run("edit", "inverted/dst.npy", *MODEL, *TARGET, "-o", "latent.png")
    run("photo", "scene.png", *MODEL, *TARGET, *FACES, "--face", "all", "--output_path", "photo")
    changed = (read("photo/edited.png") != scene.pixels).any(2)
    masks = [crop_mask(align_face(scene.pixels, face.landmarks, 64)[1]) for face in scene.faces]
    assert changed.any() and all(changed[mask > 0.5].mean() > 0.3 for mask in masks)
    far = np.max([np.hypot(*(np.mgrid[:240, :320][::-1] - np.reshape(f.centre, (2, 1, 1)))) < f.side * 1.2
                  for f in scene.faces], axis=0)  # fmt: skip
    assert not changed[~far].any()

    run("train-mapper", *MODEL, "--description", "happy face", *TRAINING, "--exp_dir", "mapper")
    run("map", *MODEL, "--modules", "mapper/mapper.safetensors", "--seed", "5", "--output_path", "mapped")
    (picture,) = Path("mapped").glob("results_*.png")
    assert read(picture).any() and np.load("mapped/latent.npy").shape[-2:] == (LAYERS, STYLE_DIM)
