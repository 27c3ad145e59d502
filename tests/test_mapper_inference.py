# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mappers at work: the chain's arithmetic, one over a bank, several texts at once, and what is refused."""

from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import STYLE_DIM, live_in, save_tiny_pack
from tool_main import load_tool
from torch_files import save_torch_zip

from ppstyleclip.apps import mapper as app
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import load_pixels
from ppstyleclip.formats import load_bank
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.stylespace import build_layout
from ppstyleclip.zoo import TrainedMapper, load_pack, save_mapper

LEVELS = {"mapper_type": "LevelsMapper", "style_dim": STYLE_DIM, "levels": [2, 2, 2]}
HAIR, STYLES = ("long", "short", "curly"), np.random.RandomState(0).randn(3, STYLE_DIM).astype(np.float32)


def made(config, **parts):
    paddle.seed(5)
    network = build_mapper(config)
    network.eval()
    return TrainedMapper(network, config, **parts)


def save_mappers(pack):
    """A mapper of each kind, in the pack's own folder."""
    layout = build_layout(load_pack(pack).generator)
    table = {"texts": HAIR, "words": STYLES, "embed": "table"}
    kinds = {
        "smile": made(LEVELS, texts=("happy face",)),
        "hair": made({**LEVELS, "mode": "Mapper_sum"}, **table),
        "multi": made({**LEVELS, "mode": "Mapper_multi"}, **table),
        "any": made(
            {**LEVELS, "mode": "Mapper_cat", "text_dim": 16},
            embed="clip",
            texts=("happy face",),
            words=np.ones([1, 16], np.float32),
        ),
        "style": made(
            {"mapper_type": "WithoutToRGBStyleSpaceMapper", "style_dims": list(layout.channels)},
            space="s",
            texts=("sad face",),
        ),
        "wide": made({**LEVELS, "style_dim": 8}),
        "tall": made({**LEVELS, "levels": [4, 4, 10]}),
        "other": made(LEVELS, made_for={"generator": "f" * 16}),
        "narrow": made({"mapper_type": "FullStyleSpaceMapper", "style_dims": [3, 3]}, space="s"),
    }
    for name, mapper in kinds.items():
        save_mapper(pack / "mappers" / f"{name}.safetensors", mapper)
    return kinds


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def kinds(pack):
    return save_mappers(pack)


@pytest.fixture(autouse=True)
def home(pack, kinds, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


@pytest.fixture
def editor():
    return Editor.from_pretrained()


def run(*arguments):
    return load_tool("mapper_inference")([*arguments, "--output_path", "out"])


def test_a_chain_goes_on_from_what_the_one_before_made(editor, pack, kinds):
    face = editor.sample(3).numpy()
    chain = app.open_chain(editor, ["smile", "hair"], ["curly"], [1.0, 0.5], folder=pack)
    first, second = app.apply_chain(editor, chain, face)
    expected = face + kinds["smile"].step(face)
    np.testing.assert_allclose(first, expected, atol=1e-6)
    expected = expected + 0.5 * kinds["hair"].step(expected, STYLES[2:])
    np.testing.assert_allclose(second, expected, atol=1e-6)


def test_one_mapper_does_several_texts_at_once(editor, pack, kinds):
    face = editor.sample(3).numpy()
    expected = face + kinds["multi"].step(face, STYLES[0:1] + STYLES[2:3])
    for texts in (["long", "curly"], ["long+curly"]):
        (found,) = app.apply_chain(editor, app.open_chain(editor, ["multi"], texts, folder=pack), face)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_mappers_of_style_space_come_last(editor, pack, kinds):
    face = editor.sample(3).numpy()
    chain = app.open_chain(editor, ["smile", "style"], folder=pack)
    w_plus, s = app.apply_chain(editor, chain, face)
    np.testing.assert_allclose(
        s, editor.styles(w_plus).numpy() + kinds["style"].step(editor.styles(w_plus)), atol=1e-5
    )
    to_rgb = ~np.isin(np.arange(s.shape[1]), editor.bundle.layout.editable_index)
    np.testing.assert_array_equal(s[:, to_rgb], editor.styles(w_plus).numpy()[:, to_rgb])
    with pytest.raises(UserError, match="smile moves w_plus, which styles no longer have"):
        list(app.apply_chain(editor, chain[::-1], face))


def test_any_text_for_a_mapper_of_clips_features(editor, pack, kinds):
    (link,) = app.open_chain(editor, ["any"], ["sad face"], folder=pack)
    expected = editor.bundle.clip.encode_text(["sad face"]).numpy()
    np.testing.assert_allclose(link.vector, expected, atol=1e-6)
    with pytest.warns(UserWarning, match="never saw purple"):
        app.open_chain(editor, ["any"], ["purple hair"], folder=pack)


def test_one_face(capsys):
    assert (
        run(
            "--modules",
            "smile",
            "--modules",
            "hair",
            "--texts",
            "long",
            "--seed",
            "4",
            "--intermediate_outputs",
        )
        == 0
    )
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == ["latent.npy", "latent_1.npy", "results_['long'].png"]
    assert load_pixels("out/results_['long'].png").shape == (128, 3 * 128, 3)
    assert "smile, hair: long, on sampled face 4 of tiny: 1 face" in capsys.readouterr().out
    assert run("--modules", "smile", "--latent", "out/latent.npy", "--strength", "0") == 0
    sheet = load_pixels("out/results_['smile'].png")
    np.testing.assert_array_equal(sheet[:, :128], sheet[:, 128:])


def test_a_bank_as_the_official_command(editor, kinds, capsys):
    faces = editor.sample([1, 2, 3]).numpy()
    save_torch_zip("bank.pt", faces)
    assert (
        load_tool("mapper_inference")(
            [
                "--checkpoint_path",
                "smile",
                "--latents_test_path",
                "bank.pt",
                "--couple_outputs",
                "--n_images",
                "2",
                "--test_batch_size",
                "1",
                "--exp_dir",
                "out",
                "--mapper_type",
                "LevelsMapper",
                "--no_fine_mapper",
                "--test_workers",
                "2",
                "--stylegan_size",
                "16",
            ]
        )
        == 0
    )
    folder = Path("out/inference_results")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["00000.png", "00001.png", "latent_00000.npy", "latent_00001.npy"]
    expected = faces + kinds["smile"].step(faces)
    np.testing.assert_allclose(np.load(folder / "latent_00001.npy"), expected[1], atol=1e-6)
    picture = load_pixels(folder / "00001.png")
    assert picture.shape == (20, 38, 3)
    np.testing.assert_array_equal(picture[2:18, 2:18], editor.render(faces[1:2])[0])
    assert "smile, on bank.pt of tiny: 2 faces" in capsys.readouterr().out


def test_a_bank_of_styles(editor, kinds):
    styles = editor.styles(editor.sample([1, 2]))
    parts = [part.numpy()[:, None, :, None, None] for part in editor.bundle.layout.unflatten(styles)]
    save_torch_zip("styles.pt", parts)
    np.testing.assert_array_equal(load_bank("styles.pt"), styles.numpy())
    arguments = ["--modules", "style", "--latents_test_path", "styles.pt", "--work_in_stylespace"]
    assert run(*arguments) == 0
    mapped = np.load("out/inference_results/latent_00001.npy")
    np.testing.assert_allclose(mapped, (styles.numpy() + kinds["style"].step(styles))[1:], atol=1e-5)
    np.save("again.npy", mapped)
    assert run("--modules", "style", "--latents_test_path", "again.npy") == 0


def test_the_face_of_a_photo(monkeypatch, editor):
    face = editor.sample(8)
    crop = type("Face", (), {"crop": editor.render(face)[0]})()
    monkeypatch.setattr(app, "aligned_faces", lambda bundle, path: (None, [crop]))
    monkeypatch.setattr(app, "find_latents", lambda editor, crops: iter([face.numpy()]))
    Path("photo.png").write_bytes(b"x")
    assert run("--modules", "smile", "--input_image", "photo.png") == 0
    assert Path("out/results_['smile'].png").is_file()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--modules", "hair", "smile"], "--modules are 2, of which 1 take a text, and --texts are 0"),
        (["--modules", "hair", "--texts", "long", "short"], "(hair: long, short, curly)"),
        (["--modules", "smile", "--texts", "long"], "of which 0 take a text, and --texts are 1"),
        (
            ["--modules", "hair", "--texts", "blue"],
            "hair: this mapper does not know 'blue'; it knows: long, sh",
        ),
        (["--modules", "multi"], "--texts are 0"),
        ([], "no mapper was named"),
        (["--modules", "hat"], "there is no mapper 'hat'; the bundle has any, hair, multi"),
        (["--modules", "wide"], "6 layers, 8 wide; 'tiny' (16 px) has 6 and 12"),
        (["--modules", "tall"], "18 layers, 12 wide"),
        (["--modules", "narrow"], "2 styles, 6 channels"),
        (["--modules", "other"], "trained for generator ffffffffffffffff, but this is generator"),
        (["--modules", "broken.pt"], "broken.pt"),
        (["--modules", "smile", "--strength", "1", "2"], "--strength"),
        (["--modules", "smile", "--work_in_stylespace"], "a mapper moves w_plus"),
        (["--modules", "smile", "--latent", "no.npy"], "no.npy"),
        (["--modules", "smile", "--latents_test_path", "odd.npy"], "takes [N, 6, 12]"),
        (["--modules", "smile", "--latents_test_path", "nan.npy"], "not finite"),
        (["--modules", "smile", "--latents_test_path", "odd.npy", "--seed", "1"], "give one"),
        (["--modules", "smile", "--latents_test_path", "odd.npy", "--n_images", "0"], "--n_images must be"),
        (
            ["--modules", "smile", "--latents_test_path", "odd.npy", "--test_batch_size", "0"],
            "--test_batch_size",
        ),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, words):
    Path("broken.pt").write_bytes(b"\x80\x02broken")
    np.save("odd.npy", np.zeros([2, 5, 12], np.float32))
    np.save("nan.npy", np.full([2, 6, 12], np.nan, np.float32))
    assert run(*arguments) == 2
    line = capsys.readouterr().err.strip()
    assert words in line and "\n" not in line and not Path("out").exists()


def test_a_result_is_called_as_its_texts_whatever_they_are():
    assert run("--modules", "multi", "--texts", "long", "curly") == 0
    assert Path("out/results_['long', 'curly'].png").is_file()
    assert app._file_name("['a/b', 'c']") == "['a_b', 'c']" and len(app._file_name(300 * "x")) == 150


def test_a_conditioned_mapper_from_training_to_a_text_it_never_saw():
    assert (
        load_tool("train_mapper")(
            [
                "--preset",
                "conditioned",
                "--description",
                "happy face",
                "long hair",
                "--max_steps",
                "3",
                "--batch_size",
                "2",
                "--train_dataset_size",
                "8",
                "--test_dataset_size",
                "2",
                "--val_interval",
                "3",
                "--save_interval",
                "3",
                "--image_interval",
                "3",
                "--exp_dir",
                "any",
            ]
        )
        == 0
    )
    assert run("--modules", "any/mapper.safetensors", "--texts", "sad face") == 0
    assert Path("out/results_['sad face'].png").is_file()
