# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Bad input to the commands of the recipe: one line that says what to do, code 2, and nothing is lost."""

from __future__ import annotations

import importlib
import re
import signal

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch_twins import small_generator, stirred  # noqa: E402

from ppstyleclip.cli.run import INTERRUPTED, run_cli  # noqa: E402
from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.worlds.portrait.factors import NUM_FACTORS, Z_DIM  # noqa: E402
from ppstyleclip.worlds.portrait.training import (  # noqa: E402
    checkpoint,
    fit,
    generator,
    irse,
    pause,
    regressor,
    shards,
)
from ppstyleclip.worlds.portrait.training.clip import export as clip_export  # noqa: E402
from ppstyleclip.worlds.portrait.training.clip import network as clip_network  # noqa: E402
from ppstyleclip.worlds.portrait.training.encoder import fit as encoder_fit  # noqa: E402
from ppstyleclip.worlds.portrait.training.export import save_generator  # noqa: E402
from ppstyleclip.worlds.portrait.training.reader import Reader  # noqa: E402
from ppstyleclip.worlds.portrait.training.schedule import Schedule  # noqa: E402
from ppstyleclip.worlds.portrait.training.stylegan3 import StyleGAN3  # noqa: E402

PACKAGES = ("clip", "encoder", "identity", "faces")
CLIP = {"vision_width": 8, "embed_dim": 16, "transformer_width": 16, "transformer_heads": 2}


@pytest.fixture(scope="module")
def made(folder):
    """The run's folder with a file of every kind, another that is empty, and damaged ones."""
    torch.manual_seed(0)
    save_generator(folder / "gen.safetensors", small_generator())
    save_generator(folder / "sg3.safetensors", StyleGAN3(32, style_dim=16, channels=(*[16] * 14, 3)))
    clip_export.save_clip(folder / "clip.safetensors", clip_network.Clip({**CLIP, "image_size": 64}))
    encoder = stirred(irse.Encoder((4, 4, 4, 4), (1, 1, 1, 1), input_size=64, num_styles=12, style_dim=Z_DIM))
    encoder_fit.save(folder / "small_encoder.safetensors", encoder, torch.zeros(Z_DIM), generator="0" * 16)
    checkpoint.save(folder / regressor.NAME, Reader(width=4, side=96).state_dict())
    (folder / "empty" / "data").mkdir(parents=True)
    (folder / "text").write_text("a text")
    return folder


def said(module, arguments, capsys, folder):
    """The line of a command that refuses its arguments, and leaves the folder as it was."""
    main = importlib.import_module(f"ppstyleclip.worlds.portrait.training.{module}").main
    before = sorted(folder.rglob("*"))
    code = run_cli(main, [part.format(run=folder) for part in arguments.split()])
    output = capsys.readouterr()
    assert sorted(folder.rglob("*")) == before
    assert code == 2 and output.err.startswith("error: ") and output.err.count("\n") == 1, output
    return output.err


DATA = "python -m ppstyleclip.worlds.portrait.training.data --folder"
OWN = "--folder {run} --generator {run}/gen.safetensors --output {run}/o.safetensors"
NUMBERS = [
    ("generator", "--folder {run} --set largest=100", "largest is 100; allowed: .* 64, 128, 256"),
    ("generator", "--folder {run} --set whole=7", "whole is 7; allowed: .*out of 64, 128"),
    ("generator", "--folder {run} --set batch", "takes NAME=VALUE, such as steps=100, got 'batch'"),
    ("generator", "--folder {run} --set rate=abc", "rate is 'abc'; allowed: a number from"),
    ("generator", "--folder {run} --set batch=1.5", "batch is '1.5'; allowed: a whole number from 1"),
    ("generator", "--folder {run} --set rate=nan", "rate is nan"),
    ("generator", "--folder {run} --set rate=-1", "rate is -1.0"),
    ("generator", "--folder {run} --set batch=0", "batch is 0; allowed: a whole number from 1"),
    ("generator", "--folder {run} --set zz=1", "zz is unknown; known: batch, largest"),
    ("generator", "--folder {run} --threads 0", "--threads: a whole number from 1"),
    ("generator", "--folder {run} --limit -1", "--limit: a whole number from 1"),
    ("regressor", "--folder {run} --batch 0", "--batch: a whole number from 1"),
    ("regressor", "--folder {run} --steps 0", "--steps: a whole number from 1"),
    ("regressor", "--folder {run} --side 0", "--side: invalid choice: 0"),
    ("regressor", "--folder {run} --side 40", "--side: invalid choice: 40"),
    ("regressor", "--folder {run} --shards 0", "--shards: a whole number from 1"),
    ("regressor", "--folder {run} --threads -1", "--threads: a whole number from 0"),
    ("regressor", "--folder {run} --judge -1", "--judge: a whole number from 0"),
    ("regressor", "--folder {run} --rate 0", "--rate: a finite number"),
    ("data", "--folder {run} --workers 0", "--workers: a whole number from 1"),
    ("data", "--folder {run} --count -2", "--count: a whole number from 1"),
    ("population", "--pack {run} --faces 0", "--faces: a whole number from 1"),
    ("population", "--pack {run} --faces -5", "--faces: a whole number from 1"),
    ("own_dimensions", OWN + " --factors smile --set steps=0", "steps is 0"),
    ("own_dimensions", OWN + " --factors smile --set size=100", "size is 100; allowed: .* 64, 128, 256"),
    ("own_dimensions", OWN + " --factors smile --set size=256", "size=256: the generator draws 128 px"),
    ("own_dimensions", OWN + " --factors smile smile", "each factor gets one dimension, got smile smile"),
    ("own_dimensions", OWN + " --factors smile --set size=64", "looks at 96 px, and pictures of 64 px"),
    ("export", "--folder {run} --output {run}/o --sizes", "--sizes: expected at least one"),
    ("mappers", "happy --folder {run} --set zz", "takes NAME=VALUE"),
    ("mappers", "happy --folder {run} --set zz=1", "unknown 'zz', known: .*steps"),
    ("mappers", "happy --folder {run} --set steps=abc", "steps must be a whole number"),
    ("clip", '--folder {run} --config {{"zz":1}}', "--config: 'zz' is unknown; known: name, embed_dim"),
    ("clip", "--folder {run} --config 3", "--config: its content is 3"),
    ("clip", '--folder {run} --config {{"embed_dim":"x"}}', "config.embed_dim is 'x'"),
    ("clip", "--folder {run} --start {run}/clip.safetensors --config {{}}", "--config does nothing beside"),
    ("identity", '--folder {run} --set config={{"zz":1}}', "config has zz; needed: widths, depths"),
    ("encoder", '--folder {run} --set config={{"zz":1}}', "config has zz; needed: widths, depths"),
    ("encoder", "--folder {run} --kind e4e --set critic=0", "config has encoder_type.*; needed: widths"),
    ("encoder", "--folder {run} --family stylegan3 --set draw_size=32", "draw_size=32: the generator draws"),
    ("generator", "--folder {run}", "regressor.pt looks at 96 px, and pictures of 64 px are drawn whole"),
]
MISSING = [
    ("generator", "--folder {run}/empty", f"there is no shard .*{DATA}"),
    ("generator", "--folder {run}/nowhere", f"there is no shard .*{DATA}"),
    ("regressor", "--folder {run}/empty", f"there are no shards in .*{DATA}"),
    ("encoder", "--folder {run}/nowhere", f"there are no shards in .*{DATA}"),
    ("identity", "--folder {run}/nowhere", f"there are no shards in .*{DATA}"),
    ("clip", "--folder {run}/empty", f"there are no held-out shards in .*{DATA}"),
    (
        "clip.texts",
        "--folder {run}/empty --start {run}/clip.safetensors --output {run}/o.safetensors",
        f"there are no held-out shards in .*{DATA}",
    ),
    (
        "clip.texts",
        "--folder {run} --start {run}/clip.safetensors --output {run}/o.safetensors",
        f"has no shards of pairs; .*{DATA} .* --first 5000000",
    ),
    ("export", "--folder {run}/empty --output {run}/o", "no fitted generator; fit one: .*training.generator"),
    (
        "clip.export",
        "--folder {run}/no --output {run}/o",
        "no fitted CLIP; fit one: .*training.clip --folder",
    ),
    (
        "own_dimensions",
        OWN.replace("--folder {run}", "--folder {run}/empty") + " --factors smile",
        "regressor.pt is not there; make it with: .*training.regressor --folder",
    ),
]
WRONG = [
    ("generator", "--start {run}/clip.safetensors", "generator is needed, .* holds 'ppstyleclip clip'"),
    ("generator", "--start {run}/text", "is not a readable safetensors file"),
    ("generator", "--start {run}/sg3.safetensors", "of the family stylegan2 is needed, .*'stylegan3'"),
    ("generator", "--start {run}/gen.safetensors", "gen.safetensors does not fit: .*size mismatch"),
    ("encoder", "--start {run}/clip.safetensors", "encoder is needed, .* holds 'ppstyleclip clip'"),
    ("encoder", "--start {run}/small_encoder.safetensors", "no layer of .* has the shape"),
    ("encoder", "--generator {run}/sg3.safetensors", "of the family stylegan2 is needed"),
    ("identity", "--generator {run}/clip.safetensors", "generator is needed"),
    ("clip", "--start {run}/gen.safetensors", "clip is needed, .* holds 'ppstyleclip generator'"),
    ("clip.texts", "--start {run}/gen.safetensors --output {run}/o", "clip is needed"),
    ("own_dimensions", "--generator {run}/clip.safetensors --output {run}/o --factors smile", "generator is"),
    (
        "own_dimensions",
        "--generator {run}/sg3.safetensors --output {run}/o --factors smile",
        "of the family stylegan2",
    ),
]
UNWRITABLE = [
    ("own_dimensions", OWN.replace("o.saf", "text/o.saf") + " --factors smile", "cannot write"),
    ("clip.texts", "--folder {run} --start {run}/clip.safetensors --output {run}/text/o", "cannot write"),
    ("clip.export", "--folder {run} --output {run}", "cannot write .*: it is a folder"),
    ("export", "--folder {run} --output {run}/text", "cannot write"),
    ("generator", "--folder {run}/text", "cannot write"),
    ("regressor", "--folder {run}/text", "cannot write"),
    ("mappers", "happy --folder {run}/text", "cannot write"),
    ("data", "--folder {run}/text", "cannot write"),
]


@pytest.mark.parametrize("module, arguments, line", [*NUMBERS, *MISSING, *UNWRITABLE])
def test_what_cannot_be_is_one_line(module, arguments, line, made, capsys):
    assert_said(module, arguments, line, made, capsys)


@pytest.mark.parametrize("module, arguments, line", WRONG)
def test_a_file_of_another_kind_is_one_line(module, arguments, line, made, capsys):
    assert_said(module, f"--folder {{run}} {arguments}", line, made, capsys)


def assert_said(module, arguments, line, made, capsys):
    found = said(f"{module}.__main__" if module in PACKAGES else module, arguments, capsys, made)
    assert re.search(line, found), found


@pytest.mark.parametrize("content", (b"", b"a text", b"PK\x03\x04 cut off"))
def test_a_state_that_cannot_be_read_is_one_line(content, made, tmp_path, capsys):
    for name, module in (
        (fit.STATE, "export"),
        ("generator-best.pt", "export"),
        ("clip-best.pt", "clip.export"),
    ):
        (tmp_path / name).write_bytes(content)
        assert_said(module, "--folder {run} --output {run}/o", f"{name} cannot be read", tmp_path, capsys)
        (tmp_path / name).unlink()


def test_a_state_of_other_settings_is_one_line(made, tmp_path, capsys):
    plan, small = fit.Plan(batch=2), {"size": 64, "channels": dict.fromkeys((4, 8, 16, 32, 64), 4)}
    fit.Fit(tmp_path, plan, **small).save()
    command = "--folder {run} --limit 1"
    assert_said("generator", command, "state.pt does not fit: .*another --folder", tmp_path, capsys)
    with pytest.raises(UserError, match="is of the family 'stylegan2'; give it, or another --folder"):
        fit.Fit(tmp_path, plan, family="stylegan3")
    with pytest.raises(UserError, match="does not fit.*parameter group"):
        fit.Fit(tmp_path, fit.Plan(batch=2, frozen=32), **small)
    with pytest.raises(UserError, match="leave out frozen="):
        fit.FAMILIES["stylegan3"].freeze(None, 64)
    whole = (tmp_path / fit.STATE).read_bytes()
    (tmp_path / fit.STATE).write_bytes(whole[: len(whole) // 2])
    assert_said("generator", command, "state.pt cannot be read", tmp_path, capsys)
    checkpoint.save(tmp_path / fit.STATE, {"step": 3})
    assert_said("generator", command, "lacks pictures, generator, average, adam, muon", tmp_path, capsys)


def test_a_damaged_shard_is_one_line(made, tmp_path, capsys):
    shards.write_shard(tmp_path, 0, count=1)
    path = shards.shard_path(tmp_path, shards.HELD_OUT)
    whole = shards.shard_path(made, 0).read_bytes()
    for content in (b"", b"a text", whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert_said(
            "generator", "--folder {run}", "is no shard that can be read; remove it", tmp_path, capsys
        )


def test_a_start_with_another_number_of_layers_is_refused(tmp_path):
    network = fit.FAMILIES["stylegan2"].build(64, layers=2)
    save_generator(tmp_path / "g.safetensors", network)
    with pytest.raises(UserError, match="is no generator of this recipe: it lacks style.3.weight"):
        fit.Fit(tmp_path, fit.Plan(), 64, start=tmp_path / "g.safetensors")


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_a_fit_that_is_told_to_end_saves_its_state(number, made, tmp_path, capsys, monkeypatch):
    """Ctrl-C and SIGTERM, between two steps; what listened to them before does so again."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    (tmp_path / "data").symlink_to(made / "data")
    learnt = []

    def learn(self, z, pixels, maps, reader=None):
        learnt.append(len(z))
        self.step, self.pictures = self.step + 1, self.pictures + len(z)
        signal.raise_signal(number)
        return 0.0, 1.0

    monkeypatch.setattr(fit.Fit, "learn", learn)
    code = run_cli(generator.main, ["--folder", str(tmp_path), "--set", "batch=2"])
    assert code == (INTERRUPTED if number == signal.SIGINT else 0) and learnt == [2]
    assert checkpoint.load(tmp_path / fit.STATE)["pictures"] == 2
    assert {one: signal.getsignal(one) for one in before} == before


def test_short_fits_that_are_told_to_end_save_their_state(tmp_path):
    network, plan = torch.nn.Linear(2, 2), encoder_fit.Plan(steps=5)
    run = Schedule(tmp_path / "s.pt", network.to(torch.float32), plan)
    with pytest.raises(KeyboardInterrupt):
        for _ in run.steps():
            run.learn(network(torch.ones(1, 2)).sum(), (0.0,))
            signal.raise_signal(signal.SIGINT)
    assert checkpoint.load(tmp_path / "s.pt")["step"] == 1
    pixels, factors = np.zeros((4, 32, 32, 3), np.uint8), np.zeros((4, NUM_FACTORS), np.float32)
    training = regressor.train(
        Reader(4, 32), pixels, factors, tmp_path / "r.pt", steps=200, batch=2, rate=1e-3
    )
    next(training)
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        next(training)
    assert checkpoint.load(tmp_path / "r.pt")["step"] == 101


def test_a_second_interrupt_ends_at_once():
    with pytest.raises(KeyboardInterrupt), pause.told_to_end() as told:
        signal.raise_signal(signal.SIGINT)
        assert told == [signal.SIGINT]
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second one was not heard")
