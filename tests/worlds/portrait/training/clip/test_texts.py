# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The fit of the words alone: it learns, and the side of pictures stays the same to the bit."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ppstyleclip.files import read_safetensors  # noqa: E402
from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES, INDEX  # noqa: E402
from ppstyleclip.worlds.portrait.captions.truth import truth_table  # noqa: E402
from ppstyleclip.worlds.portrait.training import shards  # noqa: E402
from ppstyleclip.worlds.portrait.training.clip import export, network, text_fit, texts  # noqa: E402

TINY = {
    "vision_width": 8,
    "embed_dim": 16,
    "transformer_width": 16,
    "transformer_heads": 2,
    "transformer_layers": 2,
    "image_size": 64,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    for seed in (0, shards.PAIRS, shards.HELD_OUT):
        shards.write_shard(path, seed, count=6)
    torch.manual_seed(2)
    export.save_clip(path / "clip.safetensors", network.Clip(TINY))
    return path


def test_the_command_fits_words_and_leaves_pictures_alone(folder, capsys):
    start, output = folder / "clip.safetensors", folder / "new.safetensors"
    settings = ["steps=6", "people=8", "pairs=4", "captions=12", "questions=8", "rate=1e-2"]
    texts.main(["--folder", str(folder), "--start", str(start), "--output", str(output), "--set", *settings])
    assert "step" not in capsys.readouterr().err
    (before, _), (after, _) = read_safetensors(start), read_safetensors(output)
    assert set(before) == set(after)
    for name, array in before.items():
        is_kept = name.startswith("visual.") or name in ("logit_scale", "token_ids")
        assert np.array_equal(array, after[name]) == is_kept, name


def test_a_question_is_answered_by_the_nearer_text():
    table = truth_table(np.random.RandomState(0).randn(50, 31).astype(np.float32))
    index = INDEX["happy"]
    statements = [(index, 0), (INDEX[ATTRIBUTES[index].opposite], 0)]
    is_first = table[:, index, 0] > 0
    images = torch.from_numpy(np.where(is_first[:, None], [[1.0, 0.0]], [[0.0, 1.0]]).astype(np.float32))
    right = text_fit.question_loss(images, torch.eye(2), 1.0, table, statements).item()
    wrong = text_fit.question_loss(images, torch.eye(2).flip(0), 1.0, table, statements).item()
    assert right == pytest.approx(np.log1p(np.exp(-1)), abs=1e-6)  # softplus of minus the difference
    assert wrong == pytest.approx(np.log1p(np.exp(1)), abs=1e-6)


def test_questions_are_asked_in_both_languages():
    asked, statements = text_fit.ask(20, 0.5, np.random.RandomState(1))
    assert len(asked) == len(statements) == 40
    assert [any(ord(letter) > 0x2E80 for letter in text) for text in asked] == [False, False, True, True] * 10
    assert {degree for _, degree in statements} >= {0, 5}
