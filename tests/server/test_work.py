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

from ppstyleclip.editor import Edit  # noqa: E402
from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.progress import last  # noqa: E402
from ppstyleclip.server.model import load_model  # noqa: E402
from ppstyleclip.server.schemas import JobRequest  # noqa: E402
from ppstyleclip.server.settings import load_settings  # noqa: E402
from ppstyleclip.server.work import check_request, run_request  # noqa: E402
from ppstyleclip.zoo.registry import PACK  # noqa: E402

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


@pytest.mark.slow
def test_a_seed_is_optimised(model):
    made = made_of(model, seed=3, target="happy face", method="optimise", steps=3)
    assert made.card["steps"] == 3 and len(made.card["clip_loss"]) == 2
    assert (made.pictures["edited"] != made.pictures["before"]).any()


def test_a_seed_goes_through_each_mapper(model):
    assert model.mappers
    for name, mapper in model.mappers.items():
        text = mapper.texts[0] if mapper.embed != "none" else None
        made = made_of(model, seed=3, method="mapper", mapper=name, target=text)
        assert (made.pictures["edited"] != made.pictures["before"]).any() and made.card["mapper"] == name
    assert [entry.name for entry in model.mapper_entries()] == list(model.mappers)
    assert model.entry().methods == ["direction", "optimise", "mapper"]


def test_what_cannot_be_is_refused_before_the_work(model):
    for wish in (
        {"seed": 1, "method": "mapper", "mapper": "none"},
        {"target": "a"},
        {"seed": 1, "target": "a", "fitting": 501},
    ):
        with pytest.raises(UserError):
            check_request(model, JobRequest(**wish), has_photo=False, max_steps=500)
    with pytest.raises(UserError, match="seed and no photo"):
        check_request(model, JobRequest(seed=1, target="a"), has_photo=True, max_steps=500)
    with pytest.raises(UserError):
        last(run_request(model, JobRequest(seed=1, target="face"), None))  # equal texts


@pytest.fixture(scope="module")
def scene():
    """A photo with a face of the embedded model's kind."""
    from ppstyleclip.worlds.portrait.scenes import draw_scene

    return draw_scene(21, faces=1, width=320, height=240, sides=(120, 130)).pixels


@pytest.mark.slow
@pytest.mark.parametrize(
    "wish",
    [
        {"target": "happy face"},
        {"target": "happy face", "method": "optimise", "steps": 2},
        {"method": "mapper", "mapper": "happy"},
    ],
    ids=["direction", "optimise", "mapper"],
)
def test_a_photo_by_each_method(model, scene, wish):
    if model.finder is None:
        pytest.skip(model.no_photos)
    made = made_of(model, scene, fitting=2, **wish)
    assert made.pictures["edited"].shape == scene.shape
    changed = (made.pictures["edited"] != scene).any(axis=2)
    assert 0.005 < changed.mean() < 0.5  # the face, and not the rest
    (face,) = made.card["faces"]
    assert face["inversion_psnr"] > 15 and len(face["box"]) == 4


@pytest.mark.slow
def test_the_whole_server_edits_with_the_embedded_model(model, scene, tmp_path):
    from server_world import Work

    work = Work()
    work.run = run_request  # type: ignore[method-assign]
    with serving(tmp_path, work=work, load=lambda _: model, warm="draw") as served:
        answer = served.client.post("/v1/edit", json={"seed": 5, "target": "happy face"})
        picture = np.asarray(Image.open(io.BytesIO(answer.content)))
        expected = model.editor.edit(model.editor.sample(5), Edit("face", "happy face"))[1]
        np.testing.assert_array_equal(picture, expected)
        assert served.client.get("/v1/models").json()[0]["name"] == model.editor.bundle.name
        unknown = served.ended(served.send(target="xyzzy"))
        assert unknown["state"] in ("done", "failed")
