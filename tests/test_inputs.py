# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What callers give by mistake: what can mean one thing is taken, the rest refused in one line."""

import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from photo_world import SCENE
from PIL import Image
from tiny_world import live_in

from ppstyleclip.align import choose_faces, read_photo, take_photo
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.export.folder import ExportConfig
from ppstyleclip.files import check_file
from ppstyleclip.formats import load_latent
from ppstyleclip.inputs import as_list, as_picture, as_pictures, to_array
from ppstyleclip.methods.inversion import FittingConfig, TuningConfig
from ppstyleclip.methods.latents import crossover, interpolate, move
from ppstyleclip.methods.optimization import OptimizationConfig
from ppstyleclip.pictures import to_images
from ppstyleclip.pipelines.contact_sheet import draw_contact_sheet
from ppstyleclip.pipelines.editing import edit_face, move_face
from ppstyleclip.pipelines.inversion import find_latents, invert_faces
from ppstyleclip.pipelines.mapper_edit import map_faces, open_chain
from ppstyleclip.pipelines.optimization import optimize_faces, sample_start
from ppstyleclip.pipelines.photo import PhotoConfig, edit_photo
from ppstyleclip.pipelines.recipes import Recipe, as_recipe, edit_by_recipe
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.pipelines.sampling import SheetConfig, sample_sheets
from ppstyleclip.regions import check_region
from ppstyleclip.video import save_gif
from ppstyleclip.zoo import load_pack
from ppstyleclip.zoo.by_name import load_generator

HAPPY, SAD = Edit("face", "happy face", alpha=2), Edit("face", "sad face", alpha=2)
PICTURE = np.random.RandomState(0).randint(0, 256, [20, 30, 3]).astype(np.uint8)


@pytest.fixture
def encoder_editor(encoder_pack, monkeypatch, tmp_path):
    """An editor of the tiny world with an encoder."""
    live_in(encoder_pack, monkeypatch, tmp_path)
    return Editor(load_pack(encoder_pack))


def refused(call, words):
    """The call ends in one line that has these words, and not only by the way of a ValueError."""
    with pytest.raises(UserError, match=re.escape(words)) as caught:
        made = call()
        for _ in made if hasattr(made, "__next__") else ():
            pass
    assert "\n" not in str(caught.value)


# ---- pictures


def test_pictures_are_taken_in_every_form_that_has_one_meaning():
    for given in (PICTURE, PICTURE.tolist(), PICTURE.astype(int), paddle.to_tensor(PICTURE)):
        np.testing.assert_array_equal(as_picture(given), PICTURE)
        np.testing.assert_array_equal(as_pictures([given])[0], PICTURE)
    np.testing.assert_array_equal(as_picture(Image.fromarray(PICTURE)), PICTURE)
    np.testing.assert_array_equal(as_pictures([Image.fromarray(PICTURE)] * 2)[1], PICTURE)
    np.testing.assert_array_equal(as_pictures(PICTURE, or_one=True), PICTURE[None])
    assert as_picture(PICTURE) is PICTURE


@pytest.mark.parametrize(
    "given, words",
    [
        (PICTURE / 255, "got [20, 30, 3] float64; pictures of 0 to 1 are made so"),
        (PICTURE.astype(np.uint16) * 257, "bring its numbers to 0 to 255"),
        (PICTURE[..., 0], "got [20, 30] uint8; make a grey picture one of three colours"),
        (PICTURE[..., :1], "make a grey picture one of three colours"),
        (np.dstack([PICTURE, PICTURE[..., :1]]), "leave out the transparency"),
        (PICTURE.transpose(2, 0, 1), "put the colours last, x.transpose(1, 2, 0)"),
        (PICTURE[None], "give one of them"),
        (PICTURE[:0], "got [0, 30, 3] uint8"),
        ("photo.jpg", "got 'photo.jpg'; read the file first"),
        (Path("photo.jpg"), "read the file first"),
        (None, "got nothing"),
        (58, "got 58"),
        ([[1, 2], [3]], "got a list of 2"),
        (Image.fromarray(PICTURE).convert("L"), "make a grey picture one of three colours"),
    ],
)
def test_what_is_no_picture_is_told_how_to_become_one(given, words):
    refused(lambda: as_picture(given), words)


@pytest.mark.parametrize(
    "given, words",
    [
        (PICTURE, "give several, such as picture[None]"),
        (PICTURE[None].transpose(0, 3, 1, 2), "x.transpose(0, 2, 3, 1)"),
        (PICTURE[None] / 255, "pictures of 0 to 1"),
        ([PICTURE, PICTURE[:5]], "got a list of 2"),
    ],
)
def test_images_are_made_of_pictures_alone(given, words):
    refused(lambda: to_images(given), words)


def test_a_photo_is_taken_by_its_path_or_as_pillow_opened_it(tmp_path):
    path, turned = tmp_path / "photo.png", Image.new("RGB", (40, 30))
    exif = turned.getexif()
    exif[0x112] = 6  # turned by a quarter
    picture = Image.fromarray(np.random.RandomState(1).randint(0, 256, [30, 40, 4]).astype(np.uint8))
    picture.save(path, exif=exif)
    pixels = read_photo(path)
    assert pixels.shape == (40, 30, 3)
    for given in (path, str(path), Image.open(path), pixels):
        np.testing.assert_array_equal(take_photo(given), pixels)
    refused(lambda: take_photo(None), "a photo is a path or [H, W, 3] uint8, got nothing")
    refused(lambda: read_photo(pixels), "the path of a file or folder is needed, got a value of type ndarray")


def test_a_photo_is_edited_by_its_path(encoder_editor, tmp_path):
    Image.fromarray(SCENE.pixels).save(tmp_path / "scene.png")
    config = PhotoConfig(fitting=FittingConfig(steps=0), align="none")

    def edited(photo, edits=HAPPY):
        return result_of(edit_photo(encoder_editor, photo, edits, config)).pixels

    pixels = edited(SCENE.pixels)
    np.testing.assert_array_equal(edited(tmp_path / "scene.png"), pixels)
    np.testing.assert_array_equal(
        edited(SCENE.pixels, [HAPPY, SAD]), edited(SCENE.pixels, Recipe((HAPPY, SAD)))
    )
    refused(lambda: edit_photo(encoder_editor, SCENE.pixels / 255, HAPPY, config), "pictures of 0 to 1")
    refused(lambda: edit_photo(encoder_editor, SCENE.pixels, HAPPY, "best"), "config must be of the class")
    refused(lambda: PhotoConfig(fitting=10), "fitting must be of the class FittingConfig, got 10")
    refused(lambda: PhotoConfig(tuning=True), "tuning must be of the class TuningConfig, got true")


def test_an_encoder_is_asked_about_pictures(encoder_editor):
    editor = encoder_editor
    pixels = editor.render(editor.sample(1))
    w_plus = editor.invert(pixels)
    np.testing.assert_array_equal(editor.invert(pixels[0]), w_plus)
    np.testing.assert_array_equal(editor.invert(Image.fromarray(pixels[0])), w_plus)
    refused(lambda: editor.invert(pixels / 255), "pictures to invert are [N, H, H, 3] uint8, got")
    refused(lambda: editor.invert("one.png"), "read the file first")
    refused(lambda: editor.invert(pixels[:, :8]), "squares, crops of faces")
    refused(lambda: find_latents(editor, pixels[0]), "crops of faces are")
    large = np.zeros([1, 32, 32, 3], np.uint8)
    refused(lambda: invert_faces(editor, large, None), "this generator draws [N, 3, 16, 16]")


def test_landmarks_alone_are_no_faces():
    marks = [np.zeros([68, 2])]
    refused(lambda: choose_faces(marks), "faces_of_landmarks(landmarks)")
    face = SimpleNamespace(landmarks=marks[0], weight=1)
    assert choose_faces(face) == [face]
    refused(lambda: choose_faces([face], 1.5), "face is a number")


# ---- faces


def test_faces_are_taken_in_every_form_that_has_one_meaning(tiny_editor):
    face = tiny_editor.sample(1)
    pixels = tiny_editor.render(face)
    array = face.numpy()
    for given in (array.tolist(), array.astype(float), face.astype("float64"), [array[0]]):
        np.testing.assert_array_equal(tiny_editor.render(given), pixels)
        assert tiny_editor.apply(given, HAPPY).shape == [1, tiny_editor.bundle.layout.size]


@pytest.mark.parametrize(
    "given, words",
    [
        ("face.npy", "faces are arrays, such as editor.sample(seed=58) gives, got 'face.npy'; read the file"),
        (Path("face.npy"), "faces are arrays"),
        (None, "faces are arrays"),
        (np.zeros([1, 6, 12], bool), "got an array of bool"),
        (np.zeros([1, 6, 12], complex), "got an array of complex128"),
        (np.zeros([0, 6, 12]), "there are no faces"),
    ],
)
def test_what_is_no_face_is_refused_by_all_that_take_one(tiny_editor, given, words):
    for name in ("styles", "render", "take_latents", "check_face"):
        refused(partial(getattr(tiny_editor, name), given), words)
    refused(lambda: tiny_editor.apply(given, HAPPY), words)


def test_pipelines_of_one_face_refuse_two(tiny_editor):
    two, direction = tiny_editor.sample([1, 2]), np.ones([12])
    words = "one face is edited at a time, got 2"
    refused(lambda: edit_face(tiny_editor, two, HAPPY), words)
    refused(lambda: edit_by_recipe(tiny_editor, two, HAPPY), words)
    refused(lambda: draw_contact_sheet(tiny_editor, two, HAPPY), words)
    refused(lambda: move_face(tiny_editor, two.numpy(), direction, [1]), words)


@pytest.mark.parametrize("seed", ["58", 58.7, True, None, float("nan"), [[1, 2]], []])
def test_a_seed_is_a_whole_number(tiny_editor, seed):
    refused(lambda: tiny_editor.sample(seed), "seed")
    refused(lambda: sample_start(tiny_editor, seed, "z"), "seed")


def test_a_text_that_reads_as_a_number_is_seen_to_be_one(tiny_editor):
    refused(lambda: tiny_editor.sample("58"), "seed must be a whole number, 0 to 4294967295, got '58'")
    refused(
        lambda: tiny_editor.step(Edit("face", "sad face", alpha="3")),
        "alpha must be a finite number, got '3'",
    )
    refused(lambda: sample_sheets(tiny_editor, SheetConfig(rows="3")), "rows must be a whole number")
    refused(lambda: sample_sheets(tiny_editor, SheetConfig(seed=3.5)), "seed must be a whole number")


# ---- one in place of several, and the other way round


def test_one_strength_counts_as_a_list_of_one(tiny_editor):
    face = tiny_editor.sample(1)
    expected = tiny_editor.apply(face, HAPPY, [3]).numpy()
    for given in (3, np.array(3.0), paddle.to_tensor([3.0]), (3,)):
        np.testing.assert_array_equal(tiny_editor.apply(face, HAPPY, given).numpy(), expected)
    assert result_of(edit_face(tiny_editor, face, HAPPY, 3)).alphas == [3.0]
    refused(lambda: edit_face(tiny_editor, face, HAPPY, "10"), "alpha must be a finite number, got '10'")
    refused(lambda: edit_face(tiny_editor, face, HAPPY, []), "no alpha was given")
    refused(lambda: draw_contact_sheet(tiny_editor, face, HAPPY, ["1"]), "got '1'")
    refused(lambda: move_face(tiny_editor, face, np.ones(12), []), "no offset was given")


def test_one_edit_counts_as_a_list_of_one_and_a_list_as_a_recipe(tiny_editor):
    face = tiny_editor.sample(1)
    np.testing.assert_array_equal(
        tiny_editor.synthesize_edits(face, HAPPY), tiny_editor.synthesize_edits(face, [HAPPY])
    )
    assert Recipe(HAPPY) == Recipe([HAPPY]) == as_recipe(HAPPY) == as_recipe([HAPPY])
    assert hash(Recipe([HAPPY])) == hash(Recipe((HAPPY,)))
    assert ExportConfig(edits=HAPPY, formats="onnx").edits == (HAPPY,)
    assert ExportConfig(formats="onnx").formats == ("onnx",)
    refused(lambda: as_recipe("happy face"), "an edit such as Edit(")
    refused(lambda: as_recipe(None), "no edit was given")
    refused(lambda: Recipe((HAPPY, SAD), "ab"), "as many names as edits")
    refused(lambda: ExportConfig(edits=("happy face",)), "an edit such as Edit(")


def test_one_text_or_mapper_counts_as_a_list_of_one(tiny_editor):
    start = tiny_editor.sample(1).numpy()
    config = OptimizationConfig(steps=1)
    made = [
        result_of(optimize_faces(tiny_editor, start, texts, config)).latent
        for texts in ("happy face", ["happy face"])
    ]
    np.testing.assert_array_equal(*made)
    refused(lambda: optimize_faces(tiny_editor, start, [], config), "no text was given")
    refused(lambda: optimize_faces(tiny_editor, start, None, config), "no text was given")
    refused(lambda: optimize_faces(tiny_editor, "face.npy", "sad face", config), "a start is an array")
    refused(lambda: optimize_faces(tiny_editor, start, "sad face", "official"), "read_optimization_preset")
    two = {"weights": [1, 2]}
    refused(
        lambda: optimize_faces(tiny_editor, start, "sad face", config, **two), "2 weights came for 1 text"
    )
    of_z = OptimizationConfig(steps=1, space="z")
    refused(lambda: optimize_faces(tiny_editor, start, "sad face", of_z), "a start in z is [N, 12] for this")
    refused(lambda: open_chain(tiny_editor, "no_mapper"), "there is no mapper 'no_mapper'")
    refused(lambda: map_faces(tiny_editor, start, []), "a chain of mappers is empty")


def test_lists_are_lists():
    assert as_list("face", "text") == ["face"] and as_list(Path("a"), "file") == [Path("a")]
    assert as_list(np.array([1.0, 2.0]), "number") == [1.0, 2.0] and as_list(range(2), "seed") == [0, 1]
    assert as_list((), "text", least=0) == [] and as_list(3, "number") == [3]
    refused(lambda: as_list(None, "text", least=0), "no text was given")


# ---- words, configurations, paths


@pytest.mark.parametrize(
    "options, words",
    [
        ({"target": ["happy face"]}, "target of an edit must be a text, got a list of 1"),
        ({"target": None}, "target of an edit must be a text, got nothing"),
        ({"templates": ["a {}"]}, "templates of an edit must be a text"),
        ({"budget": 0.7}, "budget must be of the class Budget, got 0.7"),
        ({"budget": {"identity": 0.7}}, "such as Budget(identity=0.7)"),
        ({"region": 3}, "a region is a name"),
        ({"reference": 3}, "a reference is a pair"),
        ({"reference": (None, None)}, "a picture of a reference is a path or [H, W, 3] uint8, got nothing"),
        ({"reference": (PICTURE / 255, PICTURE)}, "pictures of 0 to 1"),
    ],
)
def test_an_edit_of_wrong_parts_is_refused_where_it_is_made(options, words):
    refused(lambda: Edit(**{"neutral": "face", "target": "happy face", **options}), words)


def test_pictures_of_an_edit_are_taken_from_pillow_and_as_arrays_of_several():
    one, other = PICTURE, PICTURE[::-1]
    known = Edit.of_pictures(one, other)
    assert Edit.of_pictures(Image.fromarray(one), Image.fromarray(other)) == known
    assert Edit.of_pictures(np.stack([one]), [other]) == known
    assert check_region(["mouth", "eyes"]) == "mouth+eyes"


def test_steps_are_counted():
    for kind in (FittingConfig, TuningConfig):
        for steps in ("30", 1.5, None, -1):
            refused(partial(kind, steps=steps), "steps must be")
    refused(lambda: TuningConfig(steps=0), "steps must be at least 1")
    stops = np.zeros([2, 6, 12])
    refused(lambda: interpolate(stops, "3"), "steps must be a whole number")
    refused(lambda: interpolate("face.npy", 3), "latents are arrays")
    refused(lambda: crossover(stops, stops, "3"), "crossover '3'")
    refused(lambda: crossover("a", "b", 3), "latents are arrays")
    refused(lambda: move(stops[0], np.ones(12), 1), "latents are arrays, w_plus [N, L, D], got [6, 12]")
    refused(lambda: move(stops, "smile", 1), "a direction is an array of numbers, got 'smile'")
    refused(
        lambda: save_gif("no.gif", PICTURE[None], fps="5"), "fps must be 1 to 50 pictures a second, got '5'"
    )


def test_what_is_no_path_is_refused(tmp_path):
    for given in (None, 3, np.zeros(3)):
        refused(partial(check_file, given), "the path of a file or folder is needed")
        refused(partial(load_generator, given), "the path of a file or folder is needed")
    np.save(tmp_path / "face.npy", np.zeros([1, 6, 12], np.float32))
    refused(lambda: load_latent(tmp_path / "face.npy", index="0"), "has no latent '0'")
    refused(lambda: load_latent(tmp_path / "face.npy", index=0.5), "has no latent 0.5")


def test_an_editor_is_made_of_a_bundle_or_of_its_folder(tiny_editor, tiny_pack):
    assert Editor.from_pretrained(tiny_pack).bundle.name == "tiny"
    assert Editor.from_pretrained(str(tiny_pack)).bundle.name == "tiny"
    for given in ({"bundle": None}, {"bundle": tiny_pack}):  # as the commands call it
        refused(partial(Editor.from_pretrained, str(tiny_pack), **given), "a folder is given as the bundle")
    clip = Path(tiny_pack, "clip.safetensors")
    edit = Editor.from_pretrained(tiny_pack, clip=clip).direction(HAPPY)
    np.testing.assert_array_equal(edit.ds, tiny_editor.direction(HAPPY).ds)
    refused(lambda: Editor("portrait"), "an editor is made of a Bundle, got 'portrait'")
    refused(lambda: Editor.from_pretrained(["portrait"]), "unknown model type")
    refused(lambda: Editor.from_pretrained(tiny_pack, clip=3), "a CLIP is a name, the path of a file")
    refused(lambda: Editor.from_pretrained(bundle=3), "the path of a file or folder is needed")
    refused(lambda: Editor(tiny_editor.bundle, canvas=(0.1, 0)), "a canvas is Canvas(")
    refused(lambda: tiny_editor.save_pretrained(None), "the path of a file or folder is needed")


def test_tensors_that_know_a_gradient_are_arrays():
    torch = pytest.importorskip("torch")
    tensor = torch.ones([2, 3], requires_grad=True)
    np.testing.assert_array_equal(to_array(tensor, "numbers"), np.ones([2, 3]))
