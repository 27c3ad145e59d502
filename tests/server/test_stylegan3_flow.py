# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Seed 004's flow with its kind of model: a photo is sent, a StyleGAN3 edits it, a socket hears."""

from __future__ import annotations

import asyncio
import io
import shutil

import numpy as np
import pytest

pytest.importorskip("dlib", reason="the extra 'align' is not installed")
pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
pytest.importorskip("socketio", reason="the extra 'server' is not installed")

from PIL import Image  # noqa: E402
from server_world import PATIENCE, Work, serving  # noqa: E402
from socket_listener import hear  # noqa: E402
from stylegan3_encoder import add_restyle  # noqa: E402
from stylegan3_world import LAYERS, STYLE_DIM, save_tiny_stylegan3, tiny_stylegan3  # noqa: E402
from tiny_mappers import made  # noqa: E402

from ppstyleclip.server.model import load_model  # noqa: E402
from ppstyleclip.server.settings import load_settings  # noqa: E402
from ppstyleclip.server.work import run_request  # noqa: E402
from ppstyleclip.worlds.portrait.scenes import draw_scene  # noqa: E402
from ppstyleclip.zoo import save_mapper  # noqa: E402
from ppstyleclip.zoo.pack import CROP, DETECTOR, LANDMARKS  # noqa: E402
from ppstyleclip.zoo.registry import PACK  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (PACK / LANDMARKS).is_file(), reason="the embedded pack is not there"),
]
SEED_004 = {"mapper_type": "LevelsMapper", "style_dim": STYLE_DIM, "levels": [5, 3, 8]}
SCENE = draw_scene(5, faces=1, width=320, height=240, sides=(150, 160))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A generator of 16 px and its encoder, which find the portrait world's faces; one mapper."""
    folder = tmp_path_factory.mktemp("model")
    save_tiny_stylegan3(folder)
    add_restyle(folder, tiny_stylegan3())
    for name in (CROP, DETECTOR, LANDMARKS):
        shutil.copy(PACK / name, folder / name)
    save_mapper(folder / "mappers" / "joker.safetensors", made(SEED_004, texts=("joker",)))
    data = tmp_path_factory.mktemp("data")
    return load_model(load_settings(data=data, bundle=folder, mappers=folder / "mappers"))


def upload():
    memory = io.BytesIO()
    Image.fromarray(SCENE.pixels).save(memory, "PNG")
    return memory.getvalue()


def test_from_upload_to_event(model, tmp_path):
    assert model.editor.bundle.encoder.network.num_styles == LAYERS and list(model.mappers) == ["joker"]
    work = Work()
    work.run = run_request  # type: ignore[method-assign]
    with serving(tmp_path, work=work, load=lambda _: model) as served:
        wishes = ({"mapper": "joker"}, {"prompt": "happy face"})
        heard = asyncio.run(hear(served, ["websocket"], upload(), *wishes, patience=1200))
        answers = [payload for name, payload in heard if name == "answer"]
        for answer in answers:
            paths = {key: answer[key] for key in ("image_path", "restored_path")}
            assert ("image_edited", paths) in heard
            edited, restored = (picture(served, f"/images/{path}") for path in paths.values())
            assert edited.shape == restored.shape == (16, 16, 3) and (edited != restored).any()
            photo = picture(served, f"/v1/jobs/{answer['job_id']}/pictures/edited")
            changed = (photo != SCENE.pixels).any(2)
            x, y = np.mgrid[:320, :240]
            near = np.hypot(*(np.stack([x.T, y.T]) - np.reshape(SCENE.faces[0].centre, (2, 1, 1)))) < 160
            assert changed[near].any() and not changed[~near].any()
        told = [payload for name, payload in heard if name == "image_processing"]
        assert told and all(0 < one["step"] < one["steps"] and one["step"] % 10 == 0 for one in told)
        assert "image_edit_error" not in [name for name, _ in heard]


def picture(served, path):
    answer = served.client.get(path, timeout=PATIENCE)
    assert answer.status_code == 200, (path, answer.text[:200])
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
