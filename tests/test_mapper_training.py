# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Training of mappers: the step against its formula, resuming, sharing, the ways in which a run can end."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_parts
from tool_main import TOOLS, load_tool

from ppstyleclip import files
from ppstyleclip.apps import curves, mapper_data
from ppstyleclip.apps import train_mapper as app
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.files import load_pixels, read_safetensors
from ppstyleclip.losses import clip_image_features
from ppstyleclip.methods.mapper import Training, Workers, train
from ppstyleclip.methods.mapper_loss import Faces, PictureLoss
from ppstyleclip.methods.mapper_settings import Settings, check_settings, mapper_config
from ppstyleclip.methods.optimize import styles_of
from ppstyleclip.methods.text_sets import CLIP_SETS, TABLE_SETS, known_set, text_set
from ppstyleclip.zoo import load_mapper

WORDS = np.random.RandomState(1).randn(3, 12).astype(np.float32)
TEXTS = text_set(["happy", "sad", "long"], together=2)
ONE = text_set(["happy face"])
SMALL = [
    "--max_steps",
    "8",
    "--batch_size",
    "2",
    "--train_dataset_size",
    "12",
    "--test_dataset_size",
    "4",
    "--val_interval",
    "3",
    "--save_interval",
    "2",
    "--image_interval",
    "0",
]


@pytest.fixture(scope="module")
def world():
    return tiny_parts()


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The cache of compiled programs, the same for all tests: compiling takes longer than all else."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def home(pack, programs, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(programs))


def bank(world, count, space="w_plus", seed=3):
    generator, layout = world[:2]
    z = np.random.RandomState(seed).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        w_plus = generator.get_latents(paddle.to_tensor(z))
        s = layout.flatten(generator.style_affine(w_plus))
    return (w_plus if space == "w_plus" else s).numpy()


def made(world, texts=ONE, words=None, **changes):
    """(Training, PictureLoss) of the tiny world."""
    generator, layout, _, _, clip = world
    settings = Settings(**{"steps": 6, "batch_size": 3, "identity": 0.0, "every": 3, **changes})
    check_settings(settings)
    config = mapper_config(
        settings,
        generator.n_latent,
        generator.style_dim,
        layout.channels,
        None if words is None else words.shape[1],
    )
    features = np.random.RandomState(7).randn(len(texts.names), clip.dim).astype(np.float32)
    loss = PictureLoss(generator, layout, clip, texts, features, settings)
    return Training(config, words, texts, settings), loss


MULTI = {"texts": TEXTS, "words": WORDS, "mode": "Mapper_multi", "embed": "table"}


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"space": "s"},
        {"toward": 0.5},
        {"l2": 2.0, "clip": 0.5, "views": 2},
        MULTI,
        {**MULTI, "toward": 0.5},
        {"mapper_type": "SingleMapper"},
    ],
)
def test_loss_and_gradient_are_the_formula(world, case):
    """The loss of a batch, and its gradient in the mapper's weights, all eager."""
    training, loss = made(world, **case)
    settings, texts = training.settings, case.get("texts", ONE)
    faces = Faces(bank(world, 12, settings.space), texts)
    record = next(train(training, loss, faces, None))
    rows = np.random.RandomState(0).randint(0, 12, 3)
    generator, layout, _, _, clip = world
    features = np.random.RandomState(7).randn(len(texts.names), clip.dim).astype(np.float32)
    latent = paddle.to_tensor(faces.latents[rows])
    classes = [texts.classes[faces.classes[row]] for row in rows]
    vector = (
        ()
        if case.get("words") is None
        else (paddle.to_tensor(np.stack([WORDS[list(c)].sum(0) for c in classes])),)
    )
    edited = latent + 0.1 * training.network(latent, *vector)
    seen = seen_by(world, edited, settings)
    own = clip_image_features(clip, drawn(world, latent, settings.space), "clip").numpy()
    clips = []
    for k, members in enumerate(classes):
        wanted = features[list(members)]
        wanted = own[k : k + 1] + settings.toward * wanted.sum(0) if settings.toward else wanted
        wanted = wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
        clips.append((1 - (seen[k : k + 1] * paddle.to_tensor(wanted)).sum(axis=1)).mean())
    squares = (edited - latent) ** 2
    l2 = (
        paddle.add_n([part.mean() for part in layout.unflatten(squares)])
        if settings.space == "s"
        else squares.mean()
    )
    total = settings.clip * paddle.stack(clips).mean() + settings.l2 * l2
    assert record.terms["loss"] == pytest.approx(float(total), rel=1e-4)
    assert record.terms["l2"] == pytest.approx(float(l2), rel=1e-4)
    names = dict(training.network.named_parameters())
    by_hand = dict(zip(names, paddle.grad(total, list(names.values()))))
    found = gradients_of(training, loss, faces)
    for name in names:
        np.testing.assert_allclose(
            found[name], by_hand[name].numpy(), rtol=2e-3, atol=2e-4 * float(by_hand[name].abs().max())
        )


def drawn(world, latent, space):
    return world[0].synthesis_from_styles(styles_of(world[0], world[1], latent, space), noise="const")


def seen_by(world, latent, settings):
    """CLIP's view of the picture, or the mean of it and of the first cut."""
    images = drawn(world, latent, settings.space)
    views = [images] if settings.views == 1 else [images, images[:, :, :-1, :-1]]
    features = [clip_image_features(world[4], view, settings.view) for view in views]
    return paddle.nn.functional.normalize(paddle.add_n(features), axis=1)


def gradients_of(training, loss, faces):
    """What train hands to the optimiser in its first step."""
    caught = {}

    class Caught(Exception):
        pass

    def catch(gradients):
        caught.update({name: value.numpy() for name, value in gradients.items()})
        raise Caught

    training.optimiser.step = catch
    with pytest.raises(Caught):
        list(train(training, loss, faces, None))
    return caught


class Likeness(paddle.nn.Layer):
    """Stands for an identity network: mean colours."""

    def identity_features(self, images):
        means = paddle.mean(images, axis=[2, 3])
        return means / paddle.sqrt(paddle.sum(means * means, axis=1, keepdim=True) + 1e-6)


def test_identity_is_a_part_of_the_loss(world):
    with pytest.raises(UserError, match="no identity network"):
        made_with_identity(world, None)
    training, loss = made_with_identity(world, Likeness())
    record = next(train(training, loss, Faces(bank(world, 4), ONE), None))
    assert record.terms["identity"] > 1e-5
    assert record.terms["loss"] == pytest.approx(
        record.terms["clip"] + 0.8 * record.terms["l2"] + 5.0 * record.terms["identity"], rel=1e-5
    )


def made_with_identity(world, network):
    generator, layout, _, _, clip = world
    settings = Settings(steps=2, batch_size=2, identity=5.0)
    features = np.ones([1, clip.dim], np.float32)
    loss = PictureLoss(generator, layout, clip, ONE, features, settings, identity=network)
    return Training(mapper_config(settings, 6, 12, layout.channels, None), None, ONE, settings), loss


def test_the_loss_falls_and_the_best_is_known(world):
    training, loss = made(world, steps=40, every=5, rate=5.0, optimiser="adam")
    faces = Faces(bank(world, 30), ONE)
    records = list(train(training, loss, faces, Faces(bank(world, 6, seed=9), ONE)))
    looks = [record for record in records if record.held_out]
    assert [record.step for record in looks] == list(range(5, 41, 5)) and len(records) == 41
    assert looks[-1].held_out["loss"] < looks[0].held_out["loss"] - 0.02
    losses = [record.held_out["loss"] for record in looks]
    assert [record.is_best for record in looks] == [
        loss == min(losses[: k + 1]) for k, loss in enumerate(losses)
    ]


def test_training_stops_early(world):
    training, loss = made(world, steps=40, every=1, patience=3, rate=0.0)
    records = list(train(training, loss, Faces(bank(world, 6), ONE), Faces(bank(world, 4), ONE)))
    assert records[-1].step == 4 and records[1].is_best and not records[2].is_best


def test_going_on_at_five_moments_equals_never_having_stopped(world):
    faces, held_out = Faces(bank(world, 20), TEXTS), Faces(bank(world, 8, seed=9), TEXTS)
    whole, loss = made(world, **MULTI, steps=12)
    list(train(whole, loss, faces, held_out))
    stops = sorted(random.Random(4).sample(range(1, 12), 5))
    state = None
    for stop in [*stops, 99]:
        part, loss = made(world, **MULTI, steps=12)
        if state is not None:
            part.load_state(state)
        for record in train(part, loss, Faces(faces.latents, TEXTS), held_out):
            if record.step == stop:
                state = part.state()
                break
    assert part.step == 12
    end, own = whole.state(), part.state()
    assert sorted(end) == sorted(own) and any(name.startswith("held_out/loss") for name in end)
    for name, value in end.items():
        np.testing.assert_array_equal(own[name], value, err_msg=name)


def test_workers_share_every_batch():
    rows = np.arange(7)
    parts = [Workers(rank, 3).share(rows) for rank in range(3)]
    assert [len(part) for part in parts] == [3, 2, 2] and np.concatenate(parts).tolist() == rows.tolist()


def test_a_batch_that_cannot_be_shared_is_refused(world):
    training, loss = made(world, batch_size=2)
    with pytest.raises(UserError, match="a batch of 2 cannot be shared among 3 processes"):
        next(train(training, loss, Faces(bank(world, 4), ONE), None, workers=Workers(0, 3)))


@pytest.mark.parametrize(
    "change, words",
    [
        ({"mode": "Mapper_sum"}, "Mapper_sum and text vectors 'none' do not fit"),
        ({"embed": "table"}, "Mapper and text vectors 'table' do not fit"),
        ({"space": "s", "mode": "Mapper_sum", "embed": "table"}, "style space take no text"),
        ({"optimiser": "sgd"}, "unknown optimiser 'sgd', known: ranger, adam"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"rate": float("nan")}, "rate must be a number"),
        ({"views": 9}, "1 to 5 views"),
        ({"mapper_type": "FullStyleSpaceMapper"}, "use it with --work_in_stylespace"),
    ],
)
def test_bad_settings(world, change, words):
    with pytest.raises(UserError, match=words):
        made(world, **change)


def test_texts_that_are_added_must_be_as_wide(world):
    with pytest.raises(UserError, match="texts are 16 wide and latents 12; use Mapper_cat"):
        made(world, texts=TEXTS, words=np.ones([3, 16], np.float32), mode="Mapper_sum", embed="clip")


@pytest.mark.parametrize("layers, levels", [(18, [4, 4, 10]), (10, [4, 4, 2]), (6, [2, 2, 2])])
def test_levels(layers, levels):
    assert mapper_config(Settings(), layers, 8, [], None)["levels"] == levels


def test_seed_000s_texts():
    multi = TABLE_SETS["multi"]
    assert len(multi.classes) == 26 and len(set(multi.classes)) == 26
    assert [len(TABLE_SETS[name].names) for name in ("hair", "female", "male", "color")] == [5, 5, 4, 4]
    assert TABLE_SETS["male"].prompts[0] == "Robert Downey Jr., Actor of Iron man"
    assert [len(CLIP_SETS[name].names) for name in ("Disney", "color", "hair")] == [4, 6, 4]
    with pytest.raises(UserError, match="unknown texts 'male', known with text vectors 'clip'"):
        known_set("male", "clip")


@pytest.mark.parametrize("count, number", [(20, 4), (25000, 26), (7, 3)])
def test_a_latents_place_tells_its_class(count, number):
    texts = text_set([str(k) for k in range(number)])
    by_rule = [
        next(k for k in range(number) if int(k * count / number) <= i < int((k + 1) * count / number))
        for i in range(count)
    ]
    assert texts.class_of(count).tolist() == by_rule
    with pytest.raises(UserError, match="cannot be shared"):
        texts.class_of(number - 1)


def test_presets_are_the_seeds_numbers():
    official, plan = app.read_settings("official", {}, {})
    assert official == Settings() and plan == app.Plan()
    many, plan = app.read_settings("seed000", {}, {"train_faces": 7, "save_every": None})
    assert (many.mode, many.embed, many.batch_size, many.steps) == ("Mapper_sum", "table", 1, 100000)
    assert (plan.train_faces, plan.save_every) == (7, 2000)
    assert app.read_settings("seed004", {}, {})[0].scale == 1.0
    assert app.read_settings("toonface", {"rate": 0.2}, {})[0].rate == 0.2


def trained(*words, description=("happy face",)):
    return load_tool("train_mapper")(["--description", *description, *SMALL, *words])


def arrays_of(folder):
    return read_safetensors(Path(folder) / app.STATE)[0]


def assert_same(one, other):
    one, other = arrays_of(one), arrays_of(other)
    assert sorted(one) == sorted(other)
    for name, value in one.items():
        np.testing.assert_array_equal(other[name], value, err_msg=name)


def test_the_command(capsys):
    assert trained("--exp_dir", "out", "--image_interval", "4") == 0
    names = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*") if path.is_file())
    assert names == [
        "best_mapper.safetensors",
        "images_val/00000.png",
        "images_val/00004.png",
        "images_val/00008.png",
        "losses.csv",
        "losses.png",
        "mapper.safetensors",
        "state.safetensors",
    ]
    lines = Path("out/losses.csv").read_text().splitlines()
    assert lines[0] == "curve,step,clip,l2,loss" and len(lines) == 1 + 9 + 3
    mapper = load_mapper("out/mapper.safetensors")
    assert mapper.texts == ("happy face",) and len(mapper.made_for["generator"]) == 16
    assert np.abs(mapper.step(np.random.RandomState(0).randn(1, 6, 12))).max() > 0
    assert load_pixels("out/images_val/00008.png").shape[0] > 256
    assert "steps 0 to 8" in capsys.readouterr().out


def test_the_command_with_several_texts():
    assert (
        trained(
            "--mapper_mode",
            "Mapper_multi",
            "--together",
            "2",
            "--test_dataset_size",
            "8",
            "--exp_dir",
            "out",
            description=("happy face", "sad face", "long hair"),
        )
        == 0
    )
    mapper = load_mapper("out/mapper.safetensors")
    assert mapper.embed == "table" and mapper.words.shape == (3, 12) and len(mapper.texts) == 3
    assert mapper.text_vector(["happy face", "long hair"]).shape == (1, 12)
    assert (
        trained(
            "--mapper_mode",
            "Mapper_cat",
            "--text_embed_mode",
            "clip_encoder",
            "--exp_dir",
            "clip",
            description=("happy face", "sad face"),
        )
        == 0
    )
    mapper = load_mapper("clip/mapper.safetensors")
    assert mapper.embed == "clip" and mapper.words.shape == (2, 16)


def test_the_command_in_style_space_and_from_files(world):
    np.save("bank.npy", bank(world, 20))
    assert trained("--work_in_stylespace", "--latents_train_path", "bank.npy", "--exp_dir", "out") == 0
    assert load_mapper("out/mapper.safetensors").space == "s"
    np.save("other.npy", np.zeros([4, 6, 13], np.float32))
    assert trained("--latents_train_path", "other.npy", "--exp_dir", "out2") == 2


def test_it_goes_on_where_it_was(capsys):
    assert trained("--exp_dir", "whole") == 0
    assert trained("--exp_dir", "parts", "--max_steps", "4") == 0
    assert trained("--exp_dir", "parts") == 0
    assert "steps 4 to 8" in capsys.readouterr().out
    whole, parts = arrays_of("whole"), arrays_of("parts")
    for name in whole:
        if not name.startswith("held_out"):  # the first part looked once more, at its end
            np.testing.assert_array_equal(parts[name], whole[name])
    assert trained("--exp_dir", "third", "--checkpoint_path", "parts/state.safetensors") == 0
    assert trained("--exp_dir", "parts", "--learning_rate", "0.1") == 2
    assert "is of another training: rate 0.5, not 0.1" in capsys.readouterr().err
    assert trained("--exp_dir", "parts", "--learning_rate", "0.1", "--restart", "--max_steps", "1") == 0
    assert (
        trained(
            "--exp_dir",
            "fourth",
            "--checkpoint_path",
            "whole/mapper.safetensors",
            "--max_steps",
            "1",
            "--learning_rate",
            "0",
        )
        == 0
    )
    for name, value in load_mapper("whole/mapper.safetensors").network.state_dict().items():
        np.testing.assert_array_equal(arrays_of("fourth")[f"mapper/{name}"], value.numpy())


def started(pack, *words, launch=()):
    """The tool as a process of its own, in the tiny world."""
    driver = Path("driver.py")
    driver.write_text(
        f"import sys\nsys.path.insert(0, {str(TOOLS.parent / 'tests')!r})\n"
        "from tool_main import load_tool\n"
        "raise SystemExit(load_tool('train_mapper')(sys.argv[1:]))\n"
    )
    arguments = ["--bundle", str(pack), "--preset", "toonface", "--description", "happy face", *SMALL, *words]
    environment = {**os.environ, "PYTHONPATH": str(TOOLS.parent), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *launch, str(driver), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process):
    """Wait for a process that ends well."""
    said = process.communicate()[0]
    assert process.returncode == 0, said[-3000:]


def test_a_sigkill_changes_no_bit(pack):
    words = ["--max_steps", "40", "--save_interval", "3"]
    process = started(pack, *words, "--exp_dir", "killed")
    until = time.monotonic() + 550
    while not Path("killed", app.STATE).exists() and time.monotonic() < until:
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    reached = int(arrays_of("killed")["step"][0])
    assert 3 <= reached < 40
    for folder in ("killed", "whole"):
        finished(started(pack, *words, "--exp_dir", folder))
    assert_same("killed", "whole")
    assert not list(Path("killed").glob(".*.tmp"))


def test_two_processes_equal_one(pack):
    launch = ["-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", "log"]
    words = ["--max_steps", "6", "--batch_size", "5"]
    finished(started(pack, *words, "--exp_dir", "two", launch=launch))
    finished(started(pack, *words, "--exp_dir", "one"))
    one, two = arrays_of("one"), arrays_of("two")
    for name in one:
        scale = np.abs(one[name]).max()
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=1e-5 * scale + 1e-7, err_msg=name)
    assert "wrote two" in Path("log/workerlog.0").read_text()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--learning_rate", "1e30"], "use a smaller learning rate; what was saved before is kept"),
        (["--learning_rate", "1e5", "--clip_lambda", "1000"], "steps have grown to many times the latents"),
        (["--mapper_mode", "Mapper_sum", "--data_mode", "hair"], "say what the mapper is for"),
        (["--text_embed_mode", "nn.embedding"], "Mapper and text vectors 'table' do not fit"),
        (["--preset", "best"], "unknown preset 'best', known: conditioned, official"),
        (["--id_lambda", "0.1"], "there is no identity network"),
        (["--mixed"], "mixed precision needs a GPU"),
        (["--latents_train_path", "no.npy"], "no.npy"),
        (["--batch_size", "0"], "batch_size must be at least 1"),
        (["--train_dataset_size", "0"], "from 0 on, faces to train on from 1"),
        (["--checkpoint_path", "no.safetensors"], "no.safetensors"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, words):
    assert trained("--exp_dir", "out", *arguments) == 2
    line = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error")]
    assert len(line) == 1 and words in line[0]


def test_a_rate_that_explodes_leaves_the_last_good_state():
    assert trained("--exp_dir", "out", "--max_steps", "4") == 0
    before = Path("out", app.STATE).read_bytes()
    state, metadata = read_safetensors(Path("out", app.STATE))
    state["mapper/course_mapping.mapping.1.weight"][:] = np.nan
    files.write_safetensors(Path("bad.safetensors"), state, metadata)
    assert trained("--exp_dir", "other", "--checkpoint_path", "bad.safetensors") == 2
    assert not Path("other", app.STATE).exists()
    assert trained("--exp_dir", "blown", "--learning_rate", "1e30", "--save_interval", "1") == 2
    if Path("blown", app.STATE).exists():
        assert all(np.isfinite(value).all() for value in arrays_of("blown").values())
    assert Path("out", app.STATE).read_bytes() == before


def test_an_unwritable_folder_is_one_line(capsys):
    Path("file").write_text("in the way")
    assert trained("--exp_dir", "file/out") == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_full_disk_leaves_the_last_good_state(monkeypatch, capsys):
    assert trained("--exp_dir", "out", "--max_steps", "2") == 0
    before, replace = Path("out", app.STATE).read_bytes(), os.replace

    def refuse(draft, path):
        if Path(path).name == app.STATE:
            raise OSError(28, "No space left on device")
        replace(draft, path)

    monkeypatch.setattr(files.os, "replace", refuse)
    assert trained("--exp_dir", "out") == 2
    assert "No space left" in capsys.readouterr().err and Path("out", app.STATE).read_bytes() == before
    monkeypatch.setattr(files.os, "replace", replace)
    assert trained("--exp_dir", "out") == 0 and int(arrays_of("out")["step"][0]) == 8


def test_ctrl_c_leaves_the_last_state(monkeypatch, capsys):
    assert trained("--exp_dir", "whole") == 0
    step = Training.note

    def interrupt(self, curve, terms):
        if self.step == 5:
            raise KeyboardInterrupt
        step(self, curve, terms)

    monkeypatch.setattr(Training, "note", interrupt)
    assert trained("--exp_dir", "out") == 130
    assert "interrupted" in capsys.readouterr().err and int(arrays_of("out")["step"][0]) == 4
    monkeypatch.setattr(Training, "note", step)
    assert trained("--exp_dir", "out") == 0
    assert_same("whole", "out")


def test_a_board_that_is_missing_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "visualdl", None)
    with pytest.raises(MissingExtra, match="pip install visualdl, or leave out --board"):
        curves.Board("visualdl", "logs")


def test_a_board_gets_every_value(monkeypatch):
    got = []

    class LogWriter:
        def __init__(self, logdir):
            got.append(logdir)

        def add_scalar(self, tag, value, step):
            got.append((tag, step))

        def close(self):
            got.append("closed")

    monkeypatch.setitem(sys.modules, "visualdl", type(sys)("visualdl"))
    sys.modules["visualdl"].LogWriter = LogWriter
    assert trained("--exp_dir", "out", "--board", "visualdl", "--board_interval", "4") == 0
    assert got[0] == "out/logs" and got[-1] == "closed"
    assert {("train/loss", 4), ("held_out/loss", 6), ("train/clip", 8)} < set(got[1:-1])


def test_curves_are_drawn():
    lines = {
        "train": {"step": list(range(1000)), "loss": [1 / (k + 1) for k in range(1000)]},
        "held_out": {"step": [500, 999], "loss": [0.3, 0.2]},
    }
    sheet = curves.curves_picture(lines)
    assert sheet.dtype == np.uint8 and len(np.unique(sheet.reshape(-1, 3), axis=0)) > 4
    assert curves.curves_picture({"train": {}, "held_out": {}}).shape == sheet.shape


def test_photos_without_an_encoder(world, tmp_path):
    class Bare:
        bundle = type("Bundle", (), {"encoder": None, "name": "tiny"})

    with pytest.raises(UserError, match="'tiny' has no encoder"):
        mapper_data.photo_latents(Bare, tmp_path)
