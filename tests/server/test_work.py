# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The server's work with the embedded model: each method, on seeds and on a photo."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
pytest.importorskip("socketio", reason="the extra 'server' is not installed")

from PIL import Image  # noqa: E402
from server_world import serving  # noqa: E402
from tiny_mappers import LEVELS, made  # noqa: E402
from tiny_world import save_tiny_pack  # noqa: E402

from ppstyleclip.align import PhotoFaces, faces_of_landmarks  # noqa: E402
from ppstyleclip.card import Card  # noqa: E402
from ppstyleclip.editor import Edit, Editor  # noqa: E402
from ppstyleclip.errors import MissingFile, UserError  # noqa: E402
from ppstyleclip.pipelines.cards import replay_face  # noqa: E402
from ppstyleclip.pipelines.likeness import SeenFaces  # noqa: E402
from ppstyleclip.progress import last  # noqa: E402
from ppstyleclip.schema import from_value  # noqa: E402
from ppstyleclip.server import model as server_model  # noqa: E402
from ppstyleclip.server import work  # noqa: E402
from ppstyleclip.server.model import load_model  # noqa: E402
from ppstyleclip.server.problems import NO_FINDER  # noqa: E402
from ppstyleclip.server.schemas import JobRequest  # noqa: E402
from ppstyleclip.server.settings import load_settings  # noqa: E402
from ppstyleclip.server.work import check_request, request_warnings, run_request  # noqa: E402
from ppstyleclip.zoo import load_pack, save_mapper  # noqa: E402
from ppstyleclip.zoo.registry import PACK  # noqa: E402

DIRECTED = {"target": "happy face"}
OPTIMISED = {"target": "happy face", "method": "optimise", "steps": 2}
MAPPED = {"method": "mapper", "mapper": "happy"}
pytestmark = pytest.mark.skipif(not list(PACK.glob("*.safetensors")), reason="the embedded pack is not there")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The embedded model."""
    return load_model(load_settings(data=tmp_path_factory.mktemp("data")))


def made_of(model, photo=None, **wish):
    """What a wish makes; its records count up."""
    request = JobRequest(**wish)
    check_request(model, request, has_photo=photo is not None, max_steps=500)
    records = list(run_request(model, request, photo))
    assert [record.done for record in records] == sorted(record.done for record in records)
    return records[-1].result


def test_a_seed_by_words_is_what_the_editor_draws(model):
    made = made_of(model, seed=3, target="happy face", alpha=2)
    before, after = model.editor.edit(model.editor.sample(3), Edit("face", "happy face", alpha=2))
    np.testing.assert_array_equal(made.pictures["edited"], after)
    np.testing.assert_array_equal(made.pictures["before"], before)
    (edit,) = made.card["edits"]
    assert edit["alpha"] == 2 and edit["channels"] > 0 and "cards" not in made.card
    assert made.card["fingerprints"]["generator"] and made.card["method"] == "direction"
    assert made.card["warnings"] == []


def test_unknown_words_are_told_with_the_nearest_known_ones(model):
    def lines(**wish):
        return request_warnings(model, JobRequest(seed=3, **wish))

    (line,) = lines(target="face with moustach")
    assert "never saw 'moustach' (is it 'mouth'?); what 'face -> face with moustach' then does" in line
    assert lines(method="optimise", target="zorp face") == [line_of("zorp", "face -> zorp face")]
    edits = [{"target": one} for one in ("happy face", "zorp face", "blax face", "zorp face")]
    assert lines(recipe={"edits": edits}) == [
        line_of("zorp", "face -> zorp face"),
        line_of("blax", "face -> blax face"),
    ]
    by_text = next(name for name, mapper in model.mappers.items() if mapper.embed == "clip")
    assert lines(method="mapper", mapper=by_text, target="zorp+happy face") == [
        line_of("zorp", "zorp happy face")
    ]
    assert lines(method="mapper", mapper="happy") == lines(target="happy face") == []


def line_of(word, called):
    return f"the CLIP of 'portrait' never saw '{word}'; what '{called}' then does is chance"


@pytest.mark.slow
def test_edits_of_a_recipe_stay_in_their_regions(model):
    edits = [
        {"target": "happy face", "alpha": 2, "region": "mouth"},
        {"target": "sad face", "region": "eyes"},
    ]
    made = made_of(model, seed=3, recipe={"edits": edits})
    before, after = made.pictures["before"], made.pictures["edited"]
    face = model.editor.sample(3)
    masks = model.editor.region_masks(face, Edit("face", "happy face", region="mouth+eyes"))
    changed = (before != after).any(axis=2)
    assert changed.any() and not changed[masks[0] == 0].any()
    first, second = made.card["edits"]
    assert (first["region"], first["alpha"], second["region"]) == ("mouth", 2, "eyes")
    assert second["alpha"] == model.editor.bundle.defaults.alpha and len(made.card["conflicts"]) == 1
    assert model.regions()[0] == "mouth" and model.regions()[-1] == "auto"


@pytest.mark.slow
def test_a_solved_edit_has_its_strength_on_the_card_and_the_card_can_be_replayed(model):
    made = made_of(model, seed=3, target="happy face", alpha="auto", region="auto", card=True)
    (edit,), (values,) = made.card["edits"], made.card["cards"]
    assert edit["alpha"] > 0 and edit["auto"]["bound"] and edit["auto"]["renders"] > 1
    card = from_value(Card, values, "the card")
    assert card.edits[0].alpha == edit["alpha"] and card.verdict in ("good", "weak", "harmful")
    again = replay_face(card, Editor(model.editor.bundle), model.editor.sample(3))
    assert again.is_same or card.drawn == "compiled"
    np.testing.assert_allclose(again.after.astype(int), made.pictures["edited"], atol=1)


@pytest.mark.slow
@pytest.mark.parametrize("wish", [OPTIMISED, MAPPED], ids=["optimise", "mapper"])
def test_other_methods_stay_in_a_region_of_a_seed_and_are_measured(model, wish):
    made = made_of(model, seed=3, region="mouth", card=True, **wish)
    masks = model.editor.region_masks(model.editor.sample(3), Edit("face", "happy face", region="mouth"))
    changed = (made.pictures["before"] != made.pictures["edited"]).any(axis=2)
    assert changed.any() and not changed[masks[0] == 0].any()
    (card,) = made.card["cards"]
    assert card["verdict"] in ("good", "weak", "harmful") and card["numbers"]["region"] == "own"


@pytest.mark.slow
def test_a_seed_is_optimised(model):
    made = made_of(model, seed=3, target="happy face", method="optimise", steps=3)
    assert made.card["steps"] == 3 and len(made.card["clip_loss"]) == 2
    assert (made.pictures["edited"] != made.pictures["before"]).any()


@pytest.mark.slow
def test_a_seed_goes_through_each_mapper(model):
    assert model.mappers
    for name, mapper in model.mappers.items():
        text = mapper.texts[0] if mapper.embed != "none" else None
        made = made_of(model, seed=3, method="mapper", mapper=name, target=text)
        assert (made.pictures["edited"] != made.pictures["before"]).any() and made.card["mapper"] == name
    assert [entry.name for entry in model.mapper_entries()] == list(model.mappers)
    assert model.entry().methods == ["direction", "optimise", "mapper"]


def test_a_mapper_of_the_model_that_was_made_for_another_one_is_left_out(tmp_path, caplog):
    pack = save_tiny_pack(tmp_path / "pack")
    fits, other = ({"generator": mark} for mark in (load_pack(pack).fingerprints["generator"], "0" * 16))
    save_mapper(pack / "mapper_fits.safetensors", made(LEVELS, made_for=fits))
    save_mapper(pack / "mapper_strange.safetensors", made(LEVELS, made_for=other))
    save_mapper(tmp_path / "more" / "strange.safetensors", made(LEVELS, made_for=other))
    settings = {"data": tmp_path / "data", "bundle": pack, "align": "none"}
    assert list(load_model(load_settings(**settings)).mappers) == ["fits"]
    assert "mapper left out" in caplog.text
    with pytest.raises(UserError, match="more.*strange.* was trained for generator 0000"):
        load_model(load_settings(mappers=tmp_path / "more", **settings))


def test_what_cannot_be_is_refused_before_the_work(model):
    for wish in (
        {"seed": 1, "method": "mapper", "mapper": "none"},
        {"seed": 1, "method": "mapper", "mapper": "words"},
        {"seed": 1, "method": "mapper", "mapper": "happy", "target": "sad face"},  # it takes no text
        {"target": "a"},
        {"seed": 1, "target": "a", "method": "optimise", "steps": 501},
    ):
        with pytest.raises(UserError):
            check_request(model, JobRequest(**wish), has_photo=False, max_steps=500)
    with pytest.raises(UserError, match="seed and no photo"):
        check_request(model, JobRequest(seed=1, target="a"), has_photo=True, max_steps=500)
    with pytest.raises(UserError):
        last(run_request(model, JobRequest(seed=1, target="face"), None))  # equal texts


@pytest.mark.parametrize(
    "wish",
    [
        {"target": "Face"},
        {"recipe": {"edits": [{"target": "happy face"}, {"target": "face"}]}},
        {"method": "optimise", "target": "face "},
        {"method": "mapper", "mapper": "words", "target": "face", "card": True},
        {"method": "mapper", "mapper": "happy", "neutral": "happy face", "card": True},
    ],
)
def test_texts_that_say_the_same_are_refused_before_the_work(model, wish):
    with pytest.raises(UserError, match="say the same to CLIP"):
        check_request(model, JobRequest(seed=1, **wish), has_photo=False, max_steps=500)
    if wish.get("card"):  # a mapper alone has no use for the neutral text
        check_request(model, JobRequest(seed=1, **{**wish, "card": False}), has_photo=False, max_steps=500)


@pytest.fixture(scope="module")
def scene():
    """A photo with a face of the embedded model's kind."""
    from ppstyleclip.worlds.portrait.scenes import draw_scene

    return draw_scene(21, faces=1, width=320, height=240, sides=(120, 130)).pixels


@pytest.mark.slow
@pytest.mark.parametrize("region", [None, "mouth"])
@pytest.mark.parametrize("wish", [DIRECTED, OPTIMISED, MAPPED], ids=["direction", "optimise", "mapper"])
def test_a_photo_by_each_method(model, scene, wish, region):
    if model.finder is None:
        pytest.skip(model.no_photos)
    made = made_of(model, scene, fitting=2, region=region, card=region is not None, **wish)
    assert made.pictures["edited"].shape == scene.shape
    changed = (made.pictures["edited"] != scene).any(axis=2)
    assert 0.005 < changed.mean() < (0.5 if region is None else 0.06)  # the face or the mouth, not the rest
    assert ("cards" in made.card) == (region is not None)
    (face,) = made.card["faces"]
    assert face["inversion_psnr"] > 15 and len(face["box"]) == 4


@pytest.mark.parametrize(
    "wish",
    [DIRECTED, pytest.param(OPTIMISED, marks=pytest.mark.slow), MAPPED],
    ids=["direction", "optimise", "mapper"],
)
def test_people_become_portraits_by_each_method(model, monkeypatch, wish):
    from ppstyleclip.worlds.portrait.scenes import draw_scene

    scene = draw_scene(33, faces=2, width=640, height=360, sides=(150, 160))
    faces = faces_of_landmarks(sorted((one.landmarks for one in scene.faces), key=lambda face: face[30, 0]))
    seen = SeenFaces(PhotoFaces(faces, faces), True)
    monkeypatch.setattr(work, "see_faces", lambda editor, photo, which, finder: seen)
    made, side = made_of(model, scene.pixels, face="all", **wish), model.editor.bundle.generator.size
    assert {role: picture.shape for role, picture in made.pictures.items()} == dict.fromkeys(
        ("edited", "before", "after"), (side, 2 * side, 3)
    )
    assert (made.pictures["edited"] != made.pictures["before"]).any()
    for one, card in zip(faces, made.card["faces"]):
        assert card["box"] == [round(float(v)) for v in one.box] and 0 < card["read"]["skin_tone"] <= 1
    masked = made_of(model, scene.pixels, region="mouth", face="all", **wish)
    changed = (masked.pictures["edited"] != masked.pictures["before"]).any(axis=2)
    assert 0 < changed.mean() < 0.1
    with pytest.raises(UserError, match="'paste' does nothing with people, of whom 'portrait' draws portrai"):
        made_of(model, scene.pixels, paste="replace", **wish)
    if wish is DIRECTED:
        with pytest.raises(UserError, match="no card is made of portraits"):
            made_of(model, scene.pixels, card=True, **wish)


def test_without_alignment_nothing_is_looked_for_and_the_middle_is_edited(model, scene, monkeypatch):
    monkeypatch.setattr(server_model, "load_finder", lambda bundle: pytest.fail("it looks for faces"))
    monkeypatch.setattr(server_model.Editor, "from_pretrained", lambda *_, **__: model.editor)
    middle = load_model(load_settings(align="none"))
    assert middle.finder is None and middle.entry().takes_photos
    made = made_of(middle, scene, target="happy face", fitting=0)
    changed = (made.pictures["edited"] != scene).any(axis=2)
    square = (scene.shape[1] - scene.shape[0]) // 2
    assert changed.any() and not changed[:, :square].any() and not changed[:, -square:].any()
    (face,) = made.card["faces"]
    assert "box" not in face and "inversion_psnr" in face
    with pytest.raises(UserError, match="aligns no faces; of photos it takes auto"):
        made_of(middle, scene, target="happy face", region="mouth")
    with pytest.raises(UserError, match="aligns no faces and edits the middle of a photo; leave 'face' out"):
        check_request(middle, JobRequest(target="a", face=2), has_photo=True, max_steps=9)


def test_without_what_finds_faces_photos_are_refused_without_folders(model, scene, monkeypatch):
    def lacks(bundle):
        raise MissingFile("marks.dat is not on this machine; put it at /srv/secret/marks.dat")

    monkeypatch.setattr(server_model, "load_finder", lacks)
    monkeypatch.setattr(server_model.Editor, "from_pretrained", lambda *_, **__: model.editor)
    blind = load_model(load_settings())
    assert not blind.entry().takes_photos
    with pytest.raises(UserError, match=f"^{NO_FINDER}$"):
        made_of(blind, scene, target="happy face")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the CLIP of .* never saw:UserWarning")
def test_the_whole_server_edits_with_the_embedded_model(model, scene, tmp_path):
    from server_world import Work

    own = Work()
    own.run = run_request  # type: ignore[method-assign]
    with serving(tmp_path, work=own, load=lambda _: model, warm="draw") as served:
        answer = served.client.post("/v1/edit", json={"seed": 5, "target": "happy face"})
        picture = np.asarray(Image.open(io.BytesIO(answer.content)))
        expected = model.editor.edit(model.editor.sample(5), Edit("face", "happy face"))[1]
        np.testing.assert_array_equal(picture, expected)
        assert served.client.get("/v1/models").json()[0]["name"] == model.editor.bundle.name
        sent = served.client.post("/v1/jobs", json={"seed": 3, "target": "xyzzy"}).json()
        ended = served.ended(sent["id"])
        assert sent["warnings"] == ended["warnings"] == [line_of("xyzzy", "face -> xyzzy")]
        assert served.client.get(ended["card"]).json()["warnings"] == ended["warnings"]
        failed = served.client.post("/v1/edit", json={"seed": 3, "target": "xyzzy", "beta": 90})
        assert failed.status_code == 422 and failed.json()["detail"].endswith(f"; {ended['warnings'][0]}")
        assert served.status(failed.headers["x-job-id"])["warnings"] == ended["warnings"]
        assert served.client.delete(f"/v1/jobs/{sent['id']}").json()["warnings"] == []
