# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The command `ppstyleclip map`: one face, a bank, a photo, any text, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from tiny_mappers import save_mappers
from tiny_world import live_in, save_tiny_pack
from tool_main import load_tool
from torch_files import save_torch_zip

from ppstyleclip.cli import photos
from ppstyleclip.cli.mappers.mapped_files import listed_name, results_name
from ppstyleclip.editor import Editor
from ppstyleclip.files import load_pixels, save_png
from ppstyleclip.formats import load_bank
from ppstyleclip.pipelines import inversion


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
    assert names == ["latent.npy", "latent_1.npy", "results_long.png"]
    assert load_pixels("out/results_long.png").shape == (128, 3 * 128, 3)
    assert "smile, hair: long, on sampled face 4 of tiny: 1 face" in capsys.readouterr().out
    assert run("--modules", "smile", "--latent", "out/latent.npy", "--strength", "0") == 0
    sheet = load_pixels("out/results_smile.png")
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
    found = inversion.LatentRecord(1, 1, face.numpy())
    monkeypatch.setattr(photos, "read_face", lambda bundle, path, tell: crop)
    monkeypatch.setattr(inversion, "find_latents", lambda editor, crops: iter([found]))
    save_png("photo.png", np.zeros([32, 32, 3], np.uint8))
    assert run("--modules", "smile", "--input_image", "photo.png") == 0
    assert Path("out/results_smile.png").is_file()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (
            ["--modules", "hair", "smile"],
            "0 texts came, and 1 mapper of 2 can be told one; give each of them one",
        ),
        (
            ["--modules", "hair", "--texts", "long", "short"],
            "name a mapper for each, also one twice (hair: long, short, curly)",
        ),
        (
            ["--modules", "smile", "--texts", "long"],
            "1 text came, and 0 mappers of 1 can be told one; leave the texts out",
        ),
        (
            ["--modules", "hair", "--texts", "blue"],
            "hair: this mapper does not know 'blue'; it knows: long, sh",
        ),
        (["--modules", "multi"], "0 texts came"),
        ([], "no mapper was named"),
        (["--modules", "hat"], "there is no mapper 'hat'; the bundle has any, hair, multi"),
        (["--modules", "wide"], "6 layers, 8 wide; 'tiny' (16 px) has 6 and 12"),
        (["--modules", "tall"], "18 layers, 12 wide"),
        (["--modules", "narrow"], "2 styles, 6 channels"),
        (["--modules", "other"], "trained for generator ffffffffffffffff, but this is generator"),
        (["--modules", "broken.pt"], "broken.pt"),
        (["--modules", "smile", "--strength", "1", "2"], "1 mapper and 2 strengths"),
        (["--modules", "smile", "--work_in_stylespace"], "a mapper moves w_plus"),
        (["--modules", "smile", "--latent", "no.npy"], "no.npy"),
        (["--modules", "smile", "--latents_test_path", "odd.npy"], "takes [N, 6, 12]"),
        (["--modules", "smile", "--latents_test_path", "nan.npy"], "not finite"),
        (["--modules", "smile", "--latents_test_path", "odd.npy", "--seed", "1"], "give one"),
        (
            ["--modules", "smile", "--latents_test_path", "odd.npy", "--n_images", "0"],
            "--n_images: a whole number from 1",
        ),
        (
            ["--modules", "smile", "--latents_test_path", "odd.npy", "--test_batch_size", "0"],
            "--test_batch_size: a whole number from 1",
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
    assert Path("out/results_long_curly.png").is_file()
    assert results_name(["sad face", "a/b + c", "../微笑"]) == "sad_face_a_b_c_微笑"
    assert results_name(["?"]) == "text" and len(results_name([300 * "x"])) == 150
    assert listed_name(["a/b", "c"]) == "['a_b', 'c']" and len(listed_name([300 * "x"])) == 150


@pytest.mark.slow
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
    assert Path("out/results_sad_face.png").is_file()
