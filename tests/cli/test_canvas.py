# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""--translate and --rotate in every command that draws, `ppstyleclip camera`, and who refuses them."""

import json
from pathlib import Path

import numpy as np
import pytest
from edges import edges, slow
from stylegan3_world import save_tiny_stylegan3
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.cli.main import run_command
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import load_pixels
from ppstyleclip.methods.optimization import DescentRecord
from ppstyleclip.models.canvas import Canvas
from ppstyleclip.pictures import enlarged, grid, strip
from ppstyleclip.pipelines.camera import PATHS, CameraConfig, film_face
from ppstyleclip.pipelines.mapper_edit import MapperLink, apply_chain
from ppstyleclip.pipelines.optimization import OptimizationHistory, sample_start
from ppstyleclip.pipelines.presets import read_optimization_preset
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.pipelines.sampling import SheetConfig, sample_sheets
from ppstyleclip.regions import moved_masks
from ppstyleclip.zoo import TrainedMapper

MOVED = ["--translate", "0.25", "-0.125", "--rotate", "30"]
CANVAS = Canvas((0.25, -0.125), 30)
HAPPY = Edit("face", "happy face")
COMMANDS = {
    "sample": ["--seed", "3", "--n_row", "1", "--n_col", "1"],
    "edit": ["3", "--target", "happy face"],
    "move": ["--seed", "3", "--direction_path", "step.npy", "--direction_offset", "2"],
    "mix": ["--seed1", "3", "--seed2", "4"],
    "interpolate": ["--seed", "3", "4", "--steps", "1"],
    "styleganv2clip": ["--seed", "3", "--target", "happy face"],
    "optimize": ["--seed", "3", "--description", "happy face", "--step", "2"],
    "map": ["--seed", "3", "--modules", "mapper.safetensors"],
}


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    return {
        "waves": save_tiny_stylegan3(tmp_path_factory.mktemp("waves")),
        "tiny": save_tiny_pack(tmp_path_factory.mktemp("tiny")),
    }


@pytest.fixture
def home(packs, monkeypatch, tmp_path):
    live_in(packs["waves"], monkeypatch, tmp_path)
    np.save("step.npy", np.random.RandomState(1).standard_normal((1, 12)).astype(np.float32))


@pytest.fixture
def stylegan2(packs, monkeypatch, tmp_path):
    live_in(packs["tiny"], monkeypatch, tmp_path)
    np.save("step.npy", np.ones([1, 12], np.float32))


@pytest.fixture
def editor(home):
    return Editor.from_pretrained(canvas=CANVAS)


def run(name, *argv):
    return run_command(name, [*COMMANDS[name], *argv, "--output_path", "out"])


def first_picture(name, editor):
    """The first picture that a command shows, drawn on the editor's canvas."""
    if name == "sample":
        return grid(result_of(sample_sheets(editor, SheetConfig(1, 1, 3))).pictures, 1)
    return editor.render(editor.sample(3))[0]


@pytest.mark.parametrize(
    "name, file",
    [
        ("sample", "sample.png"),
        ("move", "src.editing.png"),
        slow(("mix", "src1.mixing.png")),
        slow(("edit", "src.editing.png")),
        ("styleganv2clip", "src.editing.png"),
    ],
)
def test_pictures_lie_on_the_moved_canvas(name, file, editor):
    assert run(name, *MOVED) == 0
    wanted = first_picture(name, editor)
    shown = load_pixels(Path("out") / file).astype(int)
    assert (
        np.abs(shown - wanted).max() <= 1
    )  # the last digits of a picture depend on how many are drawn with it
    still = first_picture(name, Editor(editor.bundle))
    assert np.abs(still.astype(int) - first_picture(name, editor)).max() > 8


def test_interpolation_lies_there_too(editor):
    assert run("interpolate", *MOVED) == 0
    shown = load_pixels("out/strip.png")
    wanted = strip(enlarged(editor.render(editor.sample([3, 4]))), ["0", "1"])
    np.testing.assert_array_equal(shown, wanted)


def test_mappers_know_faces_unmoved_and_their_styles_lie_on_the_canvas(editor):
    face, still, seen = editor.sample(3).numpy(), Editor(editor.bundle), []

    def half(s):
        seen.append(s.numpy())
        return 0 * s + 0.5

    chain = [MapperLink("half", TrainedMapper(half, {}, 1.0, "s"), None, 1.0)] * 2
    for n, found in enumerate(apply_chain(editor, chain, face), 1):
        wanted = still.styles(face).numpy() + 0.5 * n
        np.testing.assert_allclose(seen[-1], wanted - 0.5, atol=1e-6)
        np.testing.assert_allclose(found, still.moved(wanted, CANVAS), atol=1e-6)
    styles = still.styles(face).numpy()  # these hold their own place
    np.testing.assert_allclose(next(apply_chain(editor, chain, styles)), styles + 0.5, atol=1e-6)


@pytest.mark.parametrize("space", ["w_plus", "s"])
@pytest.mark.parametrize("masked", [slow(False), True])
def test_what_was_optimised_unmoved_is_drawn_on_the_canvas(space, masked, editor):
    still = Editor(editor.bundle)
    config = read_optimization_preset("official", steps=1, space=space)
    start = sample_start(editor, [3], space)
    np.testing.assert_array_equal(start, sample_start(still, [3], space))
    history = OptimizationHistory(editor, start, config)
    if masked:
        history.masks = np.zeros([1, 16, 16], np.float32)
        history.masks[:, 2:9, 5:14] = 1
    record = DescentRecord(1, 1, {"clip": np.ones(1)}, start + 0.3, still.synthesize(start))
    history.add(record)
    result, wanted = history.result(), editor.render(still.moved(start + 0.3, CANVAS))
    before = editor.render(still.moved(start, CANVAS))
    np.testing.assert_allclose(history.pictures(record).astype(int), before, atol=1)
    np.testing.assert_allclose(result.before.astype(int), before, atol=1)
    inside = moved_masks(history.masks, CANVAS)[0] if masked else np.ones([16, 16])
    np.testing.assert_array_equal(result.after[0][inside == 0], result.before[0][inside == 0])
    if not masked:
        np.testing.assert_allclose(result.after.astype(int), wanted, atol=1)
    saved = start + 0.3 if space == "w_plus" else still.moved(start + 0.3, CANVAS)
    np.testing.assert_allclose(result.saveable, saved, atol=1e-6)


@pytest.mark.slow
def test_clip_sees_an_optimised_face_unmoved(editor):
    results = {}
    for name, argv in {"still": [], "moved": MOVED}.items():
        assert run_command("optimize", [*COMMANDS["optimize"], *argv, "--output_path", name]) == 0
        results[name] = np.load(f"{name}/latent.npy")
    np.testing.assert_array_equal(results["still"], results["moved"])
    pair = editor.render(np.concatenate([editor.sample(3).numpy(), results["moved"]]))
    np.testing.assert_allclose(load_pixels("moved/final_result.png").astype(int), grid(pair, 2), atol=1)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", [["--rotate", "5"], ["--translate", "0", "0.1"]])
def test_other_families_refuse_in_one_line(name, option, stylegan2, capsys):
    assert run(name, *option) == 2
    line = capsys.readouterr().err
    assert (
        line.startswith("error: pictures of a 'stylegan2' generator cannot be moved")
        and line.count("\n") == 1
    )


def test_a_photo_stays_where_it_is(home, capsys):
    Path("photo.png").write_bytes(b"\x89PNG")
    assert run_command("edit", ["photo.png", "--target", "happy face", "--rotate", "5"]) == 2
    assert "goes back to where it was" in capsys.readouterr().err


def test_a_card_tells_the_canvas_and_replays_on_it(home, capsys):
    assert run_command("edit", [*COMMANDS["edit"], *MOVED, "--card", "-o", "one.png"]) == 0
    options = json.loads(Path("one.card.json").read_text())["options"]
    assert options == {"within": 0.0, "translate": [0.25, -0.125], "rotate": 30.0}
    assert run_command("replay", ["one.card.json", "-o", "again.png"]) == 0
    np.testing.assert_array_equal(load_pixels("again.png"), load_pixels("one.png"))


# ---- the camera


def test_a_film_of_an_edit(home, capsys):
    argv = [
        "--seed",
        "3",
        "--target",
        "happy face",
        "--direction_offset",
        "4",
        "--frames",
        "8",
        "--path",
        "sway",
    ]
    assert run_command("camera", [*argv, "--fps", "8", "--output_path", "out"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["camera.gif", "camera.mp4", "strip.png"]
    assert (
        "face -> happy face, strength 4, on sampled face 3 of waves: sway, 8 frames"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("path", edges(PATHS, 2))
def test_frames_are_the_edit_on_each_canvas(path, home):
    editor = Editor.from_pretrained()
    face, config = editor.sample(3), CameraConfig(path, frames=4, reach=0.2, degrees=40)
    film = result_of(film_face(editor, face, HAPPY, config))
    np.testing.assert_allclose(film.alphas, 3.0 * np.array([0, 0.5, 1, 0.5]), atol=1e-6)
    for canvas, alpha, frame in zip(config.canvases(), film.alphas, film.pixels):
        wanted = editor.render(editor.moved(editor.apply(face, HAPPY, [alpha]), canvas))[0]
        np.testing.assert_allclose(frame.astype(int), wanted, atol=1)
    assert np.abs(film.pixels[1].astype(int) - film.pixels[3]).max() > 8
    first, *_, last = CameraConfig(path, frames=360).canvases()  # no seam
    assert np.abs(np.subtract(first.translate, last.translate)).max() < 0.01


def test_a_film_of_an_edit_in_its_region(home):
    editor = Editor.from_pretrained()
    mask = np.zeros([16, 16], np.float32)
    mask[4:12, 4:12] = 1
    face, config = editor.sample(3), CameraConfig("pan", frames=4, reach=0.25, steady=True)
    edit = Edit("face", "happy face", region=mask)
    film = result_of(film_face(editor, face, edit, config))
    plain = result_of(film_face(editor, face, None, config)).pixels
    masks = editor.region_masks(face, edit)
    for canvas, frame, before in zip(config.canvases(), film.pixels, plain):
        outside = moved_masks(masks, canvas)[0] == 0
        np.testing.assert_array_equal(frame[outside], before[outside])
        assert (frame != before).any()


def test_the_first_argument_names_the_face_of_a_film(home, capsys):
    options = ["--frames", "2", "--reach", "0.02"]
    films = []
    np.save("face.npy", Editor.from_pretrained().sample(3).numpy()[0])
    for face in (["3"], ["--seed", "3"], ["face.npy"], ["4"]):
        assert run_command("camera", [*face, *options, "--output_path", "out"]) == 0
        films.append(load_pixels("out/strip.png"))
    same = [bool((films[0] == film).all()) for film in films]
    assert same == [True, True, True, False]
    assert "sampled face 3 of" in capsys.readouterr().out
    assert run_command("camera", ["3", "--seed", "4"]) == 2
    assert "3 names a face, and so does --seed or --latent" in capsys.readouterr().err


def test_what_cannot_be_filmed_gets_one_line(stylegan2, capsys):
    assert run_command("camera", ["--seed", "3", "--frames", "2"]) == 2
    assert "cannot be moved or turned" in capsys.readouterr().err
    assert run_command("camera", ["--target", "a", "--direction_offset", "1", "2"]) == 2
    assert "give one --direction_offset" in capsys.readouterr().err
    for change in ({"path": "fly"}, {"frames": 0}, {"reach": np.nan}, {"degrees": np.inf}):
        with pytest.raises(UserError):
            CameraConfig(**change)
