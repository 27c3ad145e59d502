# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Cards: their numbers, JSON and picture, the same bytes again by `replay`, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from photo_world import SCENE, save_scene, scene_png
from tiny_encoder import narrow_e4e
from tiny_world import SIZE, tiny_generator

from ppstyleclip.card import EditResult, Source, describe_edits, read_card, to_json
from ppstyleclip.card.measure import measure_edits
from ppstyleclip.card.model import Numbers
from ppstyleclip.card.origin import differences
from ppstyleclip.card.others import PAIRS, directions_of_others, moves_aside
from ppstyleclip.card.picture import add_visible_label, draw_card
from ppstyleclip.card.verdict import judge
from ppstyleclip.cli.card_files import NOTE
from ppstyleclip.cli.main import main
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import save_png
from ppstyleclip.provenance import png_texts
from ppstyleclip.zoo import generator_fingerprint, load_pack, save_encoder

HAPPY = ["--target", "happy face"]
pytestmark = [
    pytest.mark.usefixtures("encoder_world"),
    pytest.mark.filterwarnings("always::UserWarning"),  # run_cli prints them
]


@pytest.fixture(scope="module")
def editor(encoder_pack):
    return Editor(load_pack(encoder_pack))


@pytest.fixture(scope="module")
def made(editor):
    return editor.edit(editor.sample(5), Edit("face", "happy face"))


def replay(name, *argv):
    return main(["replay", name, "-o", "again.png", *argv])


@pytest.mark.parametrize("face", [["5"], ["scene.png", "--landmarks", "marks.json", "--steps", "1"]])
def test_another_limit_of_an_edit_is_kept_by_its_card(face, capsys):
    save_scene()
    wish = ["edit", *face, *HAPPY, "--direction_offset", "9"]
    assert main([*wish, "-o", "free.png"]) == 0
    assert main([*wish, "--within", "0.5", "--card", "-o", "near.png"]) == 0
    assert Path("near.png").read_bytes() != Path("free.png").read_bytes()
    assert json.loads(Path("near.card.json").read_text())["options"]["within"] == 0.5
    capsys.readouterr()
    assert replay("near.card.json") == 0
    assert "the same, bit for bit" in capsys.readouterr().out
    damaged = json.loads(Path("near.card.json").read_text())
    damaged["options"]["within"] = "far"
    Path("near.card.json").write_text(json.dumps(damaged))
    assert replay("near.card.json") == 2
    assert "within must be" in capsys.readouterr().err


# ---- what is measured


def test_every_edit_has_a_card_with_its_numbers(editor, made):
    card, (before, after) = made.card, made
    assert made.before is before and made.after is after and made.card is card
    assert (card.source.kind, card.source.seed, card.model) == ("seed", 5, editor.bundle.name)
    assert card.verdict in ("good", "weak", "harmful") and card.reason
    assert card.moved.channels == editor.direction(Edit("face", "happy face")).num_channels
    assert 0 < sum(card.moved.layers.values()) <= editor.bundle.layout.size
    assert set(card.fingerprints) >= {"generator", "clip", "statistics", "relevance", "encoder"}
    assert set(card.versions) >= {"ppstyleclip", "paddle", "numpy", "machine", "threads"}
    assert card.numbers.region == "text" and card.drawn == "eager"


def test_numbers_are_cliPs_move_in_two_parts_and_none_where_nothing_changed(editor, made):
    before, after = (one[None] for one in made)
    dt = editor.text_direction(Edit("face", "happy face"))[None]
    (moved,) = measure_edits(editor.bundle, dt, before, after)
    (back,) = measure_edits(editor.bundle, -dt, before, after)
    assert moved.along == pytest.approx(-back.along, abs=1e-4) and moved.across > 0
    (still,) = measure_edits(editor.bundle, dt, before, before)
    assert (still.along, still.inside, still.outside, still.changed) == (0, 0, 0, 0)
    everything = np.ones([1, SIZE, SIZE], np.float32)
    (inside,) = measure_edits(editor.bundle, dt, before, after, everything)
    (outside,) = measure_edits(editor.bundle, dt, before, after, 0 * everything)
    assert inside.outside == 0 and outside.inside == 0 and inside.inside == outside.outside > 0


def test_what_is_beside_the_text_is_read_along_other_words():
    """By hand: what a direction shares with the text is taken off, and what the text names does not count."""
    others, dt = np.eye(4, dtype=np.float32)[:3], np.array([[0.2, 0, 0, np.sqrt(1 - 0.04)]], np.float32)
    assert moves_aside(0.5 * dt, dt, others) == pytest.approx([(0.1 - 0.5 * 0.2) / 3], abs=1e-6)
    assert moves_aside(np.array([[0, 0.3, -0.6, 0]]), dt, others) == pytest.approx([0.3])
    named = np.array([[1, 0, 0, 0]], np.float32)
    assert moves_aside(np.array([[5, 0.2, 0, 0]]), named, others) == pytest.approx([0.1])
    assert moves_aside(np.array([[5.0, 1, 1, 1]]), named, others[:1]) == [0]


def test_a_clip_knows_the_other_words(editor):
    others = directions_of_others(editor.bundle.clip)
    assert others is directions_of_others(editor.bundle.clip)
    assert 0 < len(others) <= len(PAIRS)  # the tiny CLIP knows few words
    assert np.linalg.norm(others, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_regions_card_keeps_the_mask(editor):
    mask = np.zeros([SIZE, SIZE], np.float32)
    mask[:8, :8] = 1
    card = editor.edit(editor.sample(5), Edit("face", "happy face", region=mask)).card
    note = card.edits[0].region
    assert note.region() == Edit("a", "b", region=mask).region and 0 < note.share <= 0.25
    assert card.numbers.region == "own" and card.numbers.outside == 0
    with pytest.raises(UserError, match="is no picture"):
        dataclasses.replace(note, png="AAAA").region()


def test_verdicts_by_hand():
    fine = Numbers("clip", 0.1, 0.0, "text", along=0.5, across=0.1, changed=0.1, identity=0.9)
    assert judge(fine)[0] == "good"
    assert judge(dataclasses.replace(fine, along=0.0, inside=0.01))[0] == "weak"
    assert judge(dataclasses.replace(fine, along=-0.05)) == (
        "weak",
        "CLIP moved -0.05 along the text, which is away from it",
    )
    assert judge(dataclasses.replace(fine, aside=0.1))[0] == "weak"
    assert judge(dataclasses.replace(fine, identity=-0.5, aside=0.2, outside=1.0))[0] == "harmful"
    assert judge(dataclasses.replace(fine, identity=None))[0] in ("good", "weak")


# ---- JSON and picture


def test_a_card_comes_back_from_its_json(made, tmp_path):
    (tmp_path / "card.json").write_text(to_json(made.card), encoding="utf-8")
    assert read_card(tmp_path / "card.json") == made.card
    assert to_json(read_card(tmp_path / "card.json")) == to_json(made.card)


@pytest.mark.parametrize(
    "field, value", [("format", 2), ("verdict", "fine"), ("edits", []), ("seconds", "1"), ("alphas", [None])]
)
def test_hostile_cards_are_one_line(made, tmp_path, field, value):
    values = {**json.loads(to_json(made.card)), field: value}
    (tmp_path / "card.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError, match=field) as refusal:
        read_card(tmp_path / "card.json")
    assert str(refusal.value).isprintable()


def test_a_card_is_one_picture_in_both_languages(made):
    english, chinese = (draw_card(made.card, *made, chinese=choice) for choice in (False, True))
    assert english.shape == chinese.shape and english.shape[1] > 3 * 256
    assert (english[40:290, 12:268] != 255).any()


def test_a_visible_label_stays_in_its_corner():
    plain = np.zeros([200, 300, 3], np.uint8)
    shown = add_visible_label(plain)
    assert shown.shape == plain.shape and shown[150:, 200:].max() > 200 and not shown[:150].any()


# ---- the command


def test_the_command_writes_a_card_and_replay_makes_the_same_bytes(capsys):
    assert main(["edit", "5", *HAPPY, "--card", "-o", "one.png"]) == 0
    said = capsys.readouterr().out
    assert "card: " in said and "wrote one.card.json" in said and Path("one.card.png").is_file()
    assert png_texts(Path("one.png").read_bytes())[NOTE] == Path("one.card.json").read_text(encoding="utf-8")
    assert replay("one.card.json") == 0
    assert "the same, bit for bit" in capsys.readouterr().out
    assert Path("again.png").read_bytes() == Path("one.png").read_bytes()


def test_replay_of_a_row_with_a_visible_label_in_a_region():
    save_png("mask.png", np.full([SIZE, SIZE, 3], 255, np.uint8))
    options = ["--direction_offset", "-1", "2", "--region", "mask.png", "--visible_label", "--card"]
    assert main(["edit", "5", *HAPPY, *options, "-o", "row.png"]) == 0
    Path("mask.png").unlink()
    assert replay("row.card.json") == 0
    assert Path("again.png").read_bytes() == Path("row.png").read_bytes()


def test_replay_of_a_latent_file_asks_for_the_same_file(editor, capsys):
    np.save("face.npy", editor.sample(6).numpy())
    assert main(["edit", "face.npy", *HAPPY, "--card", "-o", "one.png"]) == 0
    assert replay("one.card.json") == 0
    np.save("face.npy", editor.sample(7).numpy())
    assert replay("one.card.json") == 2
    assert "is not the file that was edited" in capsys.readouterr().err
    Path("face.npy").unlink()
    assert replay("one.card.json") == 2
    assert "name it with --source" in capsys.readouterr().err


def test_replay_of_a_photo():
    Path("scene.png").write_bytes(scene_png())
    Path("marks.json").write_text(json.dumps(SCENE.faces[0].landmarks.tolist()))
    options = ["--landmarks", "marks.json", "--steps", "2", "--region", "mouth", "--card"]
    assert main(["edit", "scene.png", *HAPPY, *options, "-o", "one.png"]) == 0
    assert replay("one.card.json") == 0
    assert Path("again.png").read_bytes() == Path("one.png").read_bytes()


def test_replay_of_several_edits():
    options = ["--edit", "happy face", "--edit", "sad face", "--orthogonal", "--card", "-o", "one.png"]
    assert main(["edit", "5", *options]) == 0
    assert read_card("one.card.json").orthogonal
    assert replay("one.card.json") == 0
    assert Path("again.png").read_bytes() == Path("one.png").read_bytes()


def test_replay_says_what_differs(capsys):
    assert main(["edit", "5", *HAPPY, "--card", "-o", "one.png"]) == 0
    values = json.loads(Path("one.card.json").read_text(encoding="utf-8"))
    values["versions"]["paddle"], values["after"] = "1.0", "0" * 64
    Path("one.card.json").write_text(json.dumps(values), encoding="utf-8")
    assert replay("one.card.json") == 1
    said = capsys.readouterr().out
    assert "the picture is another one" in said and "made with paddle 1.0, here" in said


def test_a_card_of_another_bundle_is_refused(capsys):
    assert main(["edit", "5", *HAPPY, "--card", "-o", "one.png"]) == 0
    values = json.loads(Path("one.card.json").read_text(encoding="utf-8"))
    values["fingerprints"]["generator"] = "0" * 16
    Path("one.card.json").write_text(json.dumps(values), encoding="utf-8")
    assert replay("one.card.json") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "other weights" in said and "generator 0000000000000000, here" in said


def test_a_card_of_another_encoder_is_told_the_option(encoder_pack, capsys):
    mark = generator_fingerprint(tiny_generator())
    save_encoder("other.safetensors", narrow_e4e(), generator=mark)
    save_encoder("foreign.safetensors", narrow_e4e(), generator="2" * 16)
    assert main(["edit", "5", *HAPPY, "--card", "-o", "one.png"]) == 0
    capsys.readouterr()
    assert replay("one.card.json", "--encoder", "other.safetensors") == 2
    assert "made with (--model_type, --bundle, --encoder)" in capsys.readouterr().err
    assert replay("one.card.json", "--encoder", "foreign.safetensors") == 2
    assert "foreign.safetensors was made for generator 2222222222222222" in capsys.readouterr().err


def test_a_bundle_that_lacks_a_part_of_the_card_is_told_which(encoder_pack, tmp_path, capsys):
    assert main(["edit", "5", *HAPPY, "--card", "-o", "one.png"]) == 0
    shutil.copytree(encoder_pack, "copy")
    Path("copy/encoder.safetensors").unlink()
    capsys.readouterr()
    assert replay("one.card.json", "--bundle", "copy") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "other weights than" not in said
    assert (
        "whose other weights are here, but 'tiny' lacks its encoder; add encoder.safetensors to the" in said
    )
    assert replay("one.card.json", "--bundle", str(encoder_pack)) == 0


def test_a_compiled_face_is_replayed_compiled(encoder_pack, editor):
    from ppstyleclip.pipelines.cards import replay_face

    other = Editor(load_pack(encoder_pack))
    other.compile_next()
    face = other.sample(5)
    card = other.edit(face, Edit("face", "happy face")).card
    assert card.drawn == "compiled"
    fresh = Editor(load_pack(encoder_pack))
    assert replay_face(card, fresh, fresh.sample(5)).is_same and fresh.drawn == "compiled"


def test_two_edits_of_an_unknown_face_have_a_card(editor):
    s = editor.styles(editor.sample(5)).numpy()
    made = editor.edit(s, Edit("face", "happy face"), Edit("face", "sad face", alpha=-1))
    assert made.card.source.kind == "unknown" and len(made.card.edits) == 2


def test_differences_name_what_one_side_lacks():
    assert differences("", {"a": "1", "b": "2"}, {"a": "1", "c": "3"}) == [
        "b 2, here none",
        "c none, here 3",
    ]


def test_a_card_made_by_hand_names_its_source(editor, made):
    card = describe_edits(
        editor,
        [Edit("face", "happy face")],
        *made,
        source=Source("photo", file="a.jpg"),
        masks=[None],
        seconds=1,
    )
    assert card.title == "face -> happy face" and card.source.file == "a.jpg"


def test_a_result_goes_to_another_process_with_the_card_it_has():
    made = EditResult(np.zeros([2, 2, 3], np.uint8), np.ones([2, 2, 3], np.uint8), lambda: "card")
    lost = pickle.loads(pickle.dumps(made))
    assert (lost.after == 1).all() and len(lost) == 2
    with pytest.raises(UserError, match="made in the process of the edit"):
        lost.card  # noqa: B018
    assert made.card == "card" and pickle.loads(pickle.dumps(made)).card == "card"
