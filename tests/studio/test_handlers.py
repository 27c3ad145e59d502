# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the page's events do, on the tiny world and without Gradio."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="FastAPI, of the extra 'studio', is not installed")

from PIL import Image  # noqa: E402
from tiny_mappers import LEVELS, made  # noqa: E402

from ppstyleclip.card.model import Card  # noqa: E402
from ppstyleclip.cli.card_files import NOTE  # noqa: E402
from ppstyleclip.errors import MissingExtra, MissingFile  # noqa: E402
from ppstyleclip.pipelines.faces import cut_middle  # noqa: E402
from ppstyleclip.pipelines.records import Record, result_of  # noqa: E402
from ppstyleclip.provenance import png_texts  # noqa: E402
from ppstyleclip.regions import RegionMask  # noqa: E402
from ppstyleclip.schema import from_json  # noqa: E402
from ppstyleclip.server.model import Model  # noqa: E402
from ppstyleclip.server.pictures import PictureStore  # noqa: E402
from ppstyleclip.server.problems import LACKING, NO_FINDER  # noqa: E402
from ppstyleclip.server.settings import load_settings  # noqa: E402
from ppstyleclip.studio import faces, links, methods, show  # noqa: E402
from ppstyleclip.studio.actions import Actions, fields_of  # noqa: E402
from ppstyleclip.studio.app import Studio  # noqa: E402
from ppstyleclip.studio.handlers import SESSION_NOTE, Fields, Handlers  # noqa: E402
from ppstyleclip.studio.session import Moment, Session, Step  # noqa: E402

HAPPY = {"target": "happy face", "alpha": 2.0, "beta": 0.05}


@pytest.fixture
def actions(tiny_editor, tmp_path):
    by_text = {**LEVELS, "mode": "Mapper_cat", "text_dim": 16}
    mappers = {
        "smile": made(LEVELS, texts=("happy face",)),
        "words": made(by_text, embed="clip", texts=("happy face",)),
    }
    model = Model(tiny_editor, None, None, mappers=mappers)  # type: ignore[arg-type]
    return Actions(Handlers(model, PictureStore(tmp_path, 25)))


@pytest.fixture
def visit(actions):
    return actions.begin("")[0]


def after(told):
    return told["after"]


def done(actions, visit, action, value=None, **fields):
    """An action that must not fail, with its fields."""
    visit, told = actions.quick(visit, action, value, {**HAPPY, **fields})
    assert "message" not in told and told.get("say") != "failed", told
    return visit, told


def test_the_first_text_begins_with_the_models_own_strength(actions, visit):
    visit, told = done(actions, visit, "try")
    usual = actions.handlers.usual()
    assert told["fields"]["alpha"] == usual["alpha"] != HAPPY["alpha"]
    visit, told = done(actions, visit, "try")
    assert told["fields"]["alpha"] == HAPPY["alpha"], "the same text goes where the slider stands"


@pytest.mark.filterwarnings("ignore:the CLIP of .* never saw:UserWarning")
def test_words_that_the_model_never_saw_are_named_in_both_languages(actions, visit):
    visit, told = done(actions, visit, "try")
    assert told["warnings"] == []
    (warning,) = done(actions, visit, "try", target="zorp face")[1]["warnings"]
    assert "never saw 'zorp'" in warning["message"] and "没学过 'zorp'" in warning["message_zh"]
    by_text = {"method": "mapper", "mapper": "words", "target": "zorp face"}
    assert "'zorp'" in done(actions, visit, "try", **by_text)[1]["warnings"][0]["message"]
    for action, value in (("optimise", 1), ("sheet", None)):
        begun = next(actions.long(visit, action, value, {**HAPPY, "target": "zorp face"}))[1]
        assert begun["warnings"] == [warning]
    visit = done(actions, visit, "try", target="zorp face")[0]
    told = actions.quick(visit, "try", None, {"target": "zorp face", "alpha": 1, "beta": 9})[1]
    assert "'zorp', and nothing reaches beta 9" in told["message"] and told["warnings"] == [warning]


def test_a_picture_is_that_of_the_editors_own_session(actions, visit, tiny_editor):
    from ppstyleclip.editor import Edit, Session

    visit, _ = done(actions, visit, "try")
    visit, _ = done(actions, visit, "try")
    drawn = actions.handlers.drawing.draw(visit.session)
    session = Session(tiny_editor, visit.session.face.w_plus)
    assert np.array_equal(drawn.before, session.picture())
    session.accept(Edit("face", "happy face", alpha=2.0, beta=0.05))
    assert np.array_equal(drawn.after, session.picture())
    assert not np.array_equal(drawn.before, drawn.after)


def test_accept_undo_redo_remove_and_reset(actions, visit):
    visit, first = done(actions, visit, "accept")
    assert [one["title"] for one in first["steps"]] == ["happy face"] and first["fields"]["target"] == ""
    visit, both = done(actions, visit, "accept", target="sad face")
    visit, back = done(actions, visit, "undo")
    assert after(back) == after(first) != after(both) and back["can"] == {"undo": True, "redo": True}
    visit, again = done(actions, visit, "redo")
    assert after(again) == after(both)
    visit, left = done(actions, visit, "remove", 0)
    assert [one["title"] for one in left["steps"]] == ["sad face"]
    visit, bare = done(actions, visit, "reset")
    assert after(bare) == bare["before"] and bare["steps"] == []


def test_outside_a_painted_mask_no_pixel_changes(actions, visit):
    paper = np.zeros([64, 64, 3], np.uint8)
    paper[:, :32] = 255
    memory = io.BytesIO()
    Image.fromarray(paper).save(memory, "PNG")
    brush = "data:image/png;base64," + base64.b64encode(memory.getvalue()).decode()
    visit, _ = done(actions, visit, "try", regions=["brush"], brush=brush)
    drawn = actions.handlers.drawing.draw(visit.session)
    assert isinstance(visit.session.draft.region, RegionMask)
    half = drawn.before.shape[1] // 2
    assert np.array_equal(drawn.before[:, half:], drawn.after[:, half:])
    assert not np.array_equal(drawn.before[:, :half], drawn.after[:, :half])


def test_an_unpainted_brush_and_no_text_show_nothing(actions, visit):
    visit, told = done(actions, visit, "try", regions=["brush"], brush="")
    assert visit.session.draft.region is None
    visit, told = done(actions, visit, "try", target=" ")
    assert visit.session.draft is None and after(told) == told["before"]


def test_a_mapper_is_a_step_that_its_strength_scales(actions, visit, tiny_editor):
    fields = {"method": "mapper", "mapper": "smile"}
    visit, told = done(actions, visit, "try", **fields)
    assert told["fields"] == {"neutral": "face", "target": "happy face", "share": 1.0, "method": "mapper"}
    (whole,) = actions.handlers.drawing.parts(visit.session)
    visit, _ = done(actions, visit, "try", **fields, share=0.5)
    (half,) = actions.handlers.drawing.parts(visit.session)
    assert np.abs(whole.step).max() > 0 and np.allclose(half.step, whole.step / 2)
    assert "along" in actions.measure(visit, 3)["card"], "by the text that it was trained for"
    bare = replace(visit.session.draft, target="")
    visit = replace(visit, session=visit.session.try_out(bare))
    assert actions.measure(visit, 3)["card"] == {"no_text": True}


def test_a_mapper_that_takes_a_text_waits_for_it(actions, visit):
    fields = {"method": "mapper", "mapper": "words"}
    visit, told = done(actions, visit, "try", **fields, target=" ")
    assert visit.session.draft is None and after(told) == told["before"]
    visit, told = done(actions, visit, "try", **fields, target="sad face")
    assert visit.session.draft.target == "sad face" and after(told) != told["before"]


@pytest.mark.slow
def test_an_optimisation_shows_its_way_and_stops_when_it_shall(actions, visit):
    told = []
    for later, news in actions.long(visit, "optimise", 6, {**HAPPY, "method": "optimise"}):
        told.append(news)
        if news.get("losses") and len(news["losses"]) == 2:
            actions.stop(later)
    visit = later
    assert "message" not in told[-1], told[-1]
    assert told[0]["busy"]["stop"] and any("after" in one for one in told[1:-1])
    losses = [len(one["losses"]) for one in told if "losses" in one]
    assert losses == [1, 2], "it ends behind the step after which it was stopped"
    draft = visit.session.draft
    assert draft.method == "optimise" and np.abs(draft.way).max() > 0 and told[-1]["steps"]
    visit, half = done(actions, visit, "try", method="optimise", share=0.5)
    assert visit.session.draft.alpha == 0.5 and after(half) != after(told[-1])


@pytest.mark.slow
def test_a_strength_is_solved(actions, visit):
    *_, (visit, told) = actions.long(visit, "auto", None, HAPPY)
    assert "message" not in told, told
    assert told["say"] in ("reached", "bound_identity", "bound_outside", "bound_text")
    assert told["fields"]["alpha"] == pytest.approx(visit.session.draft.alpha, abs=1e-3)


def test_a_contact_sheet_and_one_of_its_cells(actions, visit):
    visit, _ = done(actions, visit, "try")
    *_, (visit, told) = actions.long(visit, "sheet", None, HAPPY)
    sheet = told["sheet"]
    assert len(sheet["cells"]) == len(sheet["betas"]) and len(sheet["cells"][0]) == len(sheet["alphas"])
    cell = {"alpha": sheet["alphas"][0], "beta": sheet["betas"][0]}
    visit, told = done(actions, visit, "cell", cell)
    assert (visit.session.draft.alpha, visit.session.draft.beta) == (cell["alpha"], cell["beta"])


def test_a_contact_sheet_keeps_accepted_edits_in_their_regions(actions, visit):
    face, drawing = visit.session.face, actions.handlers.drawing
    half = np.zeros([drawing.editor.bundle.generator.size] * 2, np.float32)
    half[:, : len(half) // 2] = 1
    there = Step("direction", "face", "sad face", 3.0, 0.05, RegionMask(half))
    draft = Step("direction", "face", "happy face", 2.0, 0.05)
    session = replace(visit.session.try_out(there).accept(), draft=draft)
    *_, record = methods.contact_sheet(drawing, session)
    shown = record.result.cells[record.result.chosen]
    np.testing.assert_array_equal(shown, drawing.draw(session).after)
    spread = replace(Session(Moment(face)).try_out(replace(there, region=None)).accept(), draft=draft)
    assert (shown != drawing.draw(spread).after).any()


def drawn_as_they_are(editor, crops, *_):
    """Stand in for invert_faces."""
    stage = SimpleNamespace(poor=[False])
    yield Record(1, 1, "latents", SimpleNamespace(w_plus=editor.sample(3).numpy(), stages=[stage]))


def test_without_alignment_a_photo_gives_the_square_in_its_middle(actions, monkeypatch):
    monkeypatch.setattr(faces, "see_faces", lambda *_, **__: pytest.fail("it looks for faces"))
    photo = np.random.default_rng(0).integers(0, 256, [24, 40, 3], np.uint8)
    source = faces.FaceSource(actions.handlers.model.editor, "none")
    found = source.find(photo)
    assert found.boxes == [] and len(found.faces) == 1
    monkeypatch.setattr(faces, "invert_faces", drawn_as_they_are)
    face = result_of(source.take(found, 0))
    expected = cut_middle(photo, source.editor.bundle.generator.size)
    np.testing.assert_array_equal(face.place.aligned.crop, expected.crop)
    assert face.place.aligned.face is None


def test_a_link_and_a_file_bring_the_same_picture(actions, visit):
    visit, _ = done(actions, visit, "seed", 5)
    visit, shown = done(actions, visit, "accept")
    _, told = done(actions, visit, "link")
    _, restored = actions.begin("#session=" + told["link"])
    assert after(restored) == after(shown) and restored["steps"] == shown["steps"]
    _, told = done(actions, visit, "save_session")
    text = base64.b64decode(told["save"]["data"].partition(",")[2]).decode()
    _, opened = actions.quick(None, "try", None, {})
    other, opened = done(actions, actions.begin("")[0], "open_session", text)
    assert after(opened) == after(shown)


def test_a_bad_link_is_told_and_the_page_opens(actions):
    visit, told = actions.begin("#session=junk")
    assert "no session" in told["message"] and visit.session.face.seed is not None
    other = links.to_text(links.SessionNote(1, "ffhq", seed=1))
    _, told = actions.quick(visit, "open_session", other, {})
    assert "other weights" in told["message"]


def test_a_download_says_what_it_is(actions, visit):
    visit, _ = done(actions, visit, "accept")
    _, told = done(actions, visit, "save")
    data = base64.b64decode(told["save"]["data"].partition(",")[2])
    texts, drawn = png_texts(data), actions.handlers.drawing.draw(visit.session)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), drawn.after), "the pixels as they are"
    assert json.loads(texts["AIGC"])["Label"] == "1" and "DigitalSourceType" in texts["XML:com.adobe.xmp"]
    assert from_json(Card, texts[NOTE], "card").edits[0].target == "happy face"
    assert links.from_text(texts[SESSION_NOTE]).steps[0].target == "happy face"


def test_the_card_is_that_of_the_picture(actions, visit):
    assert actions.measure(visit, 1)["card"] == {}
    visit, _ = done(actions, visit, "accept")
    told = actions.measure(visit, 9)
    assert told["of"] == 9 and told["card"]["verdict"] in ("good", "weak", "harmful")
    card = actions.handlers.drawing.card(visit.session, actions.handlers.drawing.draw(visit.session))
    assert told["card"]["along"] == round(card.numbers.along, 3)


def test_the_gallery_shows_the_faces_that_it_chooses(actions, visit):
    _, told = done(actions, visit, "seeds", 2)
    one = told["seeds"][3]
    visit, shown = done(actions, visit, "seed", one["seed"])
    pixels = actions.handlers.drawing.draw(visit.session).before
    assert shown["face"]["seed"] == one["seed"] and one["src"] == show.picture(pixels, show.THUMB)


def test_what_a_page_begins_with_waits_for_no_other_work(tiny_editor, tmp_path, monkeypatch):
    studio = Studio(load_settings(data=tmp_path), Model(tiny_editor, None, None))  # type: ignore[arg-type]
    try:
        next(studio.service.queue._warm(studio.model, True))
        for name in ("sample", "synthesize"):
            monkeypatch.setattr(tiny_editor, name, lambda *_: pytest.fail("Paddle is asked"))
        own = Actions(studio.handlers)
        visit, told = own.begin("")
        assert told["after"] and own.quick(visit, "seeds", 0, {})[1]["seeds"][0]["src"]
        monkeypatch.undo()
        tiny_editor.sampled._known.clear()
        assert own.begin("")[1]["after"] == told["after"]
        assert tiny_editor.sampled.seed_of(own.begin("")[0].session.face.w_plus[0]) is not None
    finally:
        studio.service.close()


@pytest.mark.parametrize(
    "action, value, fields, words",
    [
        ("nothing", None, {}, "unknown"),
        ("try", None, {"beta": 9.0}, "beta"),
        ("try", None, {"alpha": "x"}, "no number"),
        ("try", None, {"target": "x" * 301}, "letters at most"),
        ("try", None, {"regions": ["brush"], "brush": "data:image/png;base64,AAAA"}, "no picture"),
        ("try", None, {"method": "mapper", "mapper": "../x"}, "no mapper of this name"),
        ("remove", 7, {}, "no such edit"),
        ("remove", "1; drop", {}, "whole number"),
        ("seed", -1, {}, "seed must be"),
        ("seed", 2**32, {}, "seed must be"),
        ("in_photo", None, {}, "not taken out of a photo"),
        ("open_session", {"a": 1}, {}, "no session"),
        ("cell", [], {}, "no cell"),
        ("redo", None, {}, "nothing to redo"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(actions, visit, action, value, fields, words):
    if "beta" in fields:  # a new text begins with the model's own
        visit, _ = done(actions, visit, "try")
    same, told = actions.quick(visit, action, value, {**HAPPY, **fields})
    assert words in told["message"] and "\n" not in told["message"] and same is visit


@pytest.mark.parametrize(
    "action, value, fields, words",
    [
        ("try", None, {}, "unknown"),
        ("photo", "data:text/html;base64,AAAA", {}, "no picture"),
        ("photo", "data:image/png;base64,AAAA", {}, "none of PNG"),
        ("photo", None, {}, "no picture"),
        ("face", 0, {}, "no photo yet"),
        ("optimise", 9999, {}, "steps here"),
        ("optimise", 5, {"target": ""}, "write what"),
        ("auto", None, {"method": "mapper", "mapper": "smile"}, "for a direction"),
        ("sheet", None, {"target": ""}, "shows a direction"),
    ],
)
def test_long_work_that_cannot_be_is_told_in_one_line(actions, visit, action, value, fields, words):
    *_, (same, told) = actions.long(visit, action, value, {**HAPPY, **fields})
    assert words in told["message"] and told["busy"] is None and same is visit


@pytest.mark.parametrize(
    "kind, fault",
    [
        (MissingFile, "marks.dat is not on this machine; download it and put it at /srv/secret/marks.dat"),
        (MissingExtra, "dlib, which finds faces, cannot be imported (No module named 'dlib'); run: pip x"),
    ],
)
def test_what_the_machine_lacks_is_told_to_who_runs_it(actions, visit, monkeypatch, caplog, kind, fault):
    def lacks(*_, **__):
        raise kind(fault)

    caplog.set_level("ERROR")
    monkeypatch.setattr(faces, "see_faces", lacks)
    photo = show.picture(np.zeros([64, 64, 3], np.uint8))
    *_, (_, told) = actions.long(visit, "photo", photo, HAPPY)
    assert told["message"] == NO_FINDER and "日志" in told["message_zh"]
    monkeypatch.setattr(actions.handlers.drawing, "draw", lacks)
    _, told = actions.quick(visit, "try", None, HAPPY)
    assert told["message"] == LACKING and "日志" in told["message_zh"]
    assert [record.fields["words"] for record in caplog.records] == [fault, fault]


def test_a_bug_is_told_without_its_words(actions, visit, monkeypatch, caplog):
    monkeypatch.setattr(actions.handlers.drawing, "draw", lambda session: 1 / 0)
    _, told = actions.quick(visit, "try", None, HAPPY)
    assert told["say"] == "failed" and "ZeroDivision" not in str(told)


def test_a_page_of_a_server_that_has_restarted_begins_anew(actions):
    visit, told = actions.quick(None, "accept", None, HAPPY)
    assert told["say"] == "lost" and visit.session.steps == ()
    *_, (visit, told) = actions.long(None, "sheet", None, HAPPY)
    assert told["say"] == "lost"


def test_fields_have_defaults():
    assert fields_of({}) == Fields()
    assert fields_of({"regions": None, "alpha": None, "method": None}) == Fields()
