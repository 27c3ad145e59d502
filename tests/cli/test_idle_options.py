# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An option that does nothing where it is given says so in one line, with exit code 2."""

import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from photo_world import save_scene, scene_png

from ppstyleclip.cli.arguments import refuse_idle
from ppstyleclip.cli.main import main
from ppstyleclip.errors import UserError

HAPPY = ["--target", "happy face"]


@pytest.fixture(autouse=True)
def world(encoder_world):
    save_scene()
    np.save("face.npy", np.zeros([4, 8], np.float32))
    Path("encoder.safetensors").write_bytes(b"")
    Path("photos").mkdir()
    Path("photos", "scene.png").write_bytes(scene_png())
    Path("smile.yaml").write_text(json.dumps({"edits": [{"target": "happy face", "alpha": 2, "pull": 0.2}]}))


CASES = [
    # a photo's options without a photo
    (["edit", *HAPPY, "--align", "none"], "--align does nothing with a sampled face; leave it out"),
    (
        ["edit", "5", *HAPPY, "--steps", "60", "--tune", "3"],
        "--steps and --tune do nothing with a sampled face",
    ),
    (["edit", "5", *HAPPY, "--face", "best"], "--face does nothing with a sampled face"),
    (
        ["edit", "5", *HAPPY, "--landmarks", "m.json", "--paste", "replace"],
        "--landmarks and --paste do nothing",
    ),
    (["edit", "face.npy", *HAPPY, "--align", "none"], "--align does nothing with a latent file"),
    (["edit", "5", *HAPPY, "--encoder", "e4e"], "--encoder does nothing with a sampled face"),
    (["edit", "5", *HAPPY, "--index", "0"], "--index does nothing with a sampled face"),
    (["edit", "scene.png", *HAPPY, "--index", "1"], "--index does nothing with a photo"),
    (
        ["edit", "5", *HAPPY, "--ir_se50_weights", "x.pth"],
        "--ir_se50_weights does nothing where nothing is solved",
    ),
    (
        ["styleganv2clip", *HAPPY, "--ir_se50_weights", "x.pth"],
        "--ir_se50_weights does nothing where nothing",
    ),
    (["styleganv2clip", *HAPPY, "--index", "1"], "--index does nothing without --latent"),
    (["mix", "--index2", "1"], "--index2 does nothing without --latent2"),
    # one option that takes away what another is for
    (
        ["edit", "scene.png", *HAPPY, "--align", "none", "--face", "1"],
        "--face does nothing with --align none",
    ),
    (
        ["photo", "scene.png", *HAPPY, "--landmarks", "marks.json", "--landmark_path", "x.dat"],
        "--landmark_path does nothing with --landmarks",
    ),
    (["photo", "scene.png", *HAPPY, "--smooth", "3"], "--smooth does nothing with one photo"),
    (["photo", "photos", *HAPPY, "--tune", "3"], "--tune does nothing with a folder or a video"),
    (
        ["photo", "photos", *HAPPY, "--align", "none", "--smooth", "2"],
        "--smooth does nothing with --align none",
    ),
    (
        ["invert", "--input_image", "scene.png", "--aligned", "--face", "2"],
        "--face does nothing with --aligned",
    ),
    (
        ["invert", "--input_image", "photos", "--ir_se50_weights", "x.pth"],
        "--ir_se50_weights does nothing with a folder",
    ),
    (
        ["invert", "--input_image", "scene.png", "--landmarks", "marks.json", "--landmark_path", "x"],
        "--landmark_path does nothing with --landmarks",
    ),
    # edits that say themselves what an option says
    (
        ["edit", "--edit", "happy face", "--neutral", "a"],
        "--neutral does nothing without --target: an edit names",
    ),
    (
        ["edit", "--recipe", "smile.yaml", "--neutral", "a"],
        "without --target: the file names it, by `neutral`",
    ),
    (["edit", "--recipe", "smile.yaml", "--pull", "0.5"], "--pull does nothing where each edit has its own"),
    (["edit", "--recipe", "smile.yaml", "--pull", "0"], "--pull does nothing where each edit has its own"),
    (
        ["edit", "--recipe", "smile.yaml", "--direction_offset", "0"],
        "--direction_offset does nothing where each edit has its own",
    ),
    (
        ["photo", "scene.png", "--recipe", "smile.yaml", "--direction_offset", "0"],
        "--direction_offset does nothing where each edit has its own",
    ),
    (["camera", "--pull", "0"], "--pull does nothing without --target"),
    (
        ["edit", "--edit", "a -> b @ 3", "--direction_offset", "2"],
        "--direction_offset does nothing where each",
    ),
    (["edit", *HAPPY, "--orthogonal"], "--orthogonal does nothing with one edit"),
    (
        ["edit", "--reference", "scene.png", "--reference_to", "scene.png", "--templates", "plain"],
        "--templates does nothing with pictures in place of words",
    ),
    # mappers: one face or a bank
    (
        ["map", "--modules", "x", "--couple_outputs"],
        "--couple_outputs does nothing without --latents_test_path",
    ),
    (["map", "--modules", "x", "--n_images", "3"], "--n_images does nothing without --latents_test_path"),
    (
        ["map", "--modules", "x", "--latents_test_path", "face.npy", "--intermediate_outputs"],
        "--intermediate_outputs does nothing with --latents_test_path",
    ),
    (["map", "--modules", "x", "--index", "2"], "--index does nothing without --latent"),
    # optimisation
    (
        ["optimize", "--description", "a", "--mode", "free_generation", "--seed", "3", "--l2_lambda", "1"],
        "--seed and --l2_lambda do nothing with --mode free_generation",
    ),
    (
        ["optimize", "--description", "a", "--preset", "official", "--neutral", "b"],
        "--neutral does nothing without a direction (--toward LENGTH)",
    ),
    (
        ["optimize", "--description", "a", "--preset", "official", "--spread", "1"],
        "--spread does nothing without nearby faces (--nearby N)",
    ),
    (
        ["optimize", "--description", "a", "--preset", "seed004", "--lr_rampup", "0.1"],
        "--lr_rampup does nothing with the schedule step_lr",
    ),
    (
        ["optimize", "--description", "a", "--preset", "official", "--ir_se50_weights", "face.npy"],
        "--ir_se50_weights does nothing without an identity loss (--id_lambda WEIGHT)",
    ),
    # fits that begin elsewhere than at the encoder's latent
    (
        ["fit", "--input_image", "scene.png", "--pre_latent", "face.npy", "--encoder", "encoder.safetensors"],
        "--encoder does nothing with --pre_latent, with which the fit begins",
    ),
    (
        ["fit", "--input_image", "scene.png", "--recipe", "projector", "--encoder", "encoder.safetensors"],
        "--encoder does nothing with --recipe projector, which begins with the mean latent",
    ),
    # directions
    (["direction", "--groups", "a.npy", "b.npy", "--alone"], "--alone does nothing with --groups"),
    (["direction", "a.npy", "--labels", "b.csv", "--name", "c"], "--name does nothing with --labels, whose"),
    # camera
    (["camera", "--path", "sway", "--reach", "0.1"], "--reach does nothing with --path sway"),
    (["camera", "--degrees", "10"], "--degrees does nothing with --path circle"),
    (["camera", "--steady", "--pull", "0.1"], "--steady and --pull do nothing without --target"),
    (["camera", "--stat_path", "face.npy"], "--stat_path does nothing without --target"),
]


@pytest.mark.parametrize(
    "name, value",
    [("tune", 0), ("steps", 0), ("smooth", 0), ("l2_lambda", 0.0), ("aligned", False)],
)
def test_nothing_of_a_quantity_is_nothing_idle(name, value):
    refuse_idle(Namespace(**{name: value}), [name], "here")


@pytest.mark.parametrize("name", ["index", "index2", "seed", "pull", "beta_threshold"])
def test_a_zero_that_asks_for_something_is_one_like_others(name):
    with pytest.raises(UserError, match=f"--{name} does nothing here; leave it out"):
        refuse_idle(Namespace(**{name: 0}), [name], "here")


@pytest.mark.parametrize(
    "argv, words", CASES, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_an_option_that_does_nothing_is_refused_in_one_line(argv, words, capsys):
    assert main(argv) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ") and said.err.count("\n") == 1 and words in said.err, said.err
    assert not Path("edited.png").exists()
