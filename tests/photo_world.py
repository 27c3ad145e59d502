# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A drawn scene whose landmarks are known, and the commands that take photos, for tests to call."""

import functools
import json
from pathlib import Path

import cv2
import numpy as np
import paddle
from tiny_world import tiny_generator
from tool_main import load_tool

from ppstyleclip.align import align_face, crop_mask
from ppstyleclip.files import encode_picture
from ppstyleclip.worlds.portrait.scenes import draw_scene

PACK = Path(__file__).resolve().parents[1] / "ppstyleclip" / "worlds" / "portrait" / "pack"
SIZE = 16  # of the tiny generator
SCENE = draw_scene(11, faces=3, width=320, height=240, sides=(70, 90))
EDITED = ["edited.png", "faces.npy", "faces.png", "side_by_side.png"]
TARGET = ["--target", "happy face", "--landmarks", "marks.json", "--steps", "2"]
ENCODED = [*TARGET, "--steps", "0"]  # where it does not matter how near the latents are
TOOLS = {name: load_tool(name) for name in ("edit_photo", "pixel2style2pixel", "styleganv2fitting")}


@functools.cache
def scene_png():
    """The scene as a file."""
    return encode_picture(SCENE.pixels)


def save_scene(folder="."):
    """Write the scene, `scene.png`, and its landmarks, `marks.json`, as many tests take them."""
    Path(folder, "scene.png").write_bytes(scene_png())
    Path(folder, "marks.json").write_text(json.dumps([face.landmarks.tolist() for face in SCENE.faces]))


def run(name, *argv):
    return TOOLS[name]([*argv, "--output_path", "out"])


def names(folder="out"):
    return sorted(path.name for path in Path(folder).iterdir())


def read(name):
    return cv2.imread(f"out/{name}")[:, :, ::-1]


def masks():
    return [crop_mask(align_face(SCENE.pixels, face.landmarks, SIZE)[1]) for face in SCENE.faces]


def crops():
    return np.stack([align_face(SCENE.pixels, face.landmarks, SIZE)[0] for face in SCENE.faces])


def decibels(said):
    """The PSNR of every stage, of every line that names one."""
    return [
        [float(v) for v in line.split("PSNR ")[1].split(" dB")[0].split(" -> ")]
        for line in said.splitlines()
        if "PSNR " in line
    ]


def model_arguments():
    """The arguments of PaddleGAN's documented commands that say which model, here for 16 px."""
    paddle.save(tiny_generator().state_dict(), "weights.pdparams")
    return [
        "--weight_path",
        "weights.pdparams",
        "--model_type",
        "portrait",
        "--size",
        "16",
        "--style_dim",
        "12",
        "--n_mlp",
        "2",
        "--cpu",
    ]
