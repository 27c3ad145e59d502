# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The recipe of the portrait world's CLIP: the twin has Paddle's features, the losses know what is true."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.worlds.portrait.captions import questions  # noqa: E402
from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES, INDEX  # noqa: E402
from ppstyleclip.worlds.portrait.captions.sampling import LANGUAGES  # noqa: E402
from ppstyleclip.worlds.portrait.captions.truth import NOT, truth_table  # noqa: E402
from ppstyleclip.worlds.portrait.factors import factors_from_z  # noqa: E402
from ppstyleclip.worlds.portrait.training import shards  # noqa: E402
from ppstyleclip.worlds.portrait.training.clip import (  # noqa: E402
    __main__,
    changes,
    export,
    faces,
    fit,
    losses,
    network,
    oracle,
    prompts,
    softness,
)

RESNET = {
    "vision_width": 8,
    "embed_dim": 16,
    "transformer_width": 16,
    "transformer_heads": 2,
    "image_size": 64,
}
VIT = {**RESNET, "vision_layers": 2, "vision_width": 64, "vision_patch_size": 16}
SMALL = {"people": 2, "pairs": 2, "imagined_people": 4, "imagined_pairs": 3, "captions": 12}
PLAN = fit.Plan(**SMALL, match_from=0, contrast_from=0)


def tiny(config):
    """A twin whose every weight and statistic is something else than it starts with."""
    torch.manual_seed(1)
    clip = network.Clip({**config, "transformer_layers": 2}).eval()
    with torch.no_grad():
        for name, value in [*clip.named_parameters(), *clip.named_buffers()]:
            if name not in ("mean", "std"):
                value.add_(0.1 * torch.rand_like(value))
    return clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    for seed in (0, shards.PAIRS, shards.HELD_OUT, shards.HELD_OUT + shards.PAIRS):
        shards.write_shard(path, seed, count=6)
    return path


def test_a_fit_starts_from_an_exported_file(tmp_path):
    clip = tiny(RESNET)
    export.save_clip(tmp_path / "clip.safetensors", clip, half=False)
    started_fit = fit.Fit(tmp_path, PLAN, start=tmp_path / "clip.safetensors")
    pixels, rows = torch.rand(2, 3, 64, 64), torch.from_numpy(network.rows_of(["smiling face", "有胡子的脸"]))
    for started in (started_fit.clip.eval(), started_fit.average):
        torch.testing.assert_close(started.encode_pixels(pixels), clip.eval().encode_pixels(pixels))
        torch.testing.assert_close(started.encode_rows(rows), clip.encode_rows(rows))
    assert started_fit.pictures == 0


def test_attention_is_the_fused_one():
    torch.manual_seed(0)
    attention, x = network.Attention(16, 4), torch.randn(2, 5, 16)
    q, k, v = (attention.split(p) for p in (attention.q_proj(x), attention.k_proj(x), attention.v_proj(x)))
    for causal in (False, True):
        fused = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        wanted = attention.out_proj(fused.transpose(1, 2).flatten(2))
        torch.testing.assert_close(attention(x, x, causal), wanted)


@pytest.mark.parametrize("config", (RESNET, VIT))
def test_the_exported_twin_has_the_same_features_in_paddle(tmp_path, config):
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.zoo.clips import clip_fingerprint, load_clip, save_clip

    clip = tiny(config)
    mark = export.save_clip(tmp_path / "clip.safetensors", clip, half=False)
    loaded, read = load_clip(tmp_path / "clip.safetensors")
    assert mark == read == clip_fingerprint(loaded) == save_clip(tmp_path / "again.safetensors", loaded)
    texts = ["a photo of a smiling face.", "有很长的头发的脸", "face"]
    pixels = np.random.RandomState(0).rand(2, 3, 64, 64).astype(np.float32)
    with torch.no_grad():
        ours = (
            clip.encode_pixels(torch.from_numpy(pixels)),
            clip.encode_rows(torch.from_numpy(network.rows_of(texts))),
        )
    theirs = loaded.encode_pixels(paddle.to_tensor(pixels)), loaded.encode_text(texts)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-4 * np.abs(b.numpy()).max())
    assert loaded.unknown_words("smilling face, 微笑的脸") == ["smilling"]


def test_pictures_are_resized_as_paddle_does():
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.ops.bicubic import resize_centre_crop

    pixels = np.random.RandomState(0).randint(0, 256, (2, 128, 128, 3)).astype(np.uint8)
    images = paddle.to_tensor(pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    want = resize_centre_crop(images, 96).clip(0, 1).numpy()
    np.testing.assert_allclose(softness.to_size(pixels, 96).numpy(), want, atol=1e-4)


def test_pairs_differ_in_a_factor_or_two(folder):
    factors = factors_from_z(shards.Shard(shards.shard_path(folder, shards.PAIRS)).z)
    different = (np.abs(factors[0::2] - factors[1::2]) > 1e-3).sum(1)
    assert set(different) <= {1, 2}
    wide = shards.paired_factors(np.random.RandomState(0), 2000)
    assert np.abs(np.corrcoef(wide.T) - np.eye(wide.shape[1])).max() < 0.1  # unlike among people


def test_batches_hold_people_and_pairs_side_by_side(folder):
    portraits = faces.Portraits([folder], 0, every=1)
    portraits.batch(1, 0)
    pixels, factors, pairs = portraits.batch(3, 2)
    assert pairs == 2
    assert pixels.shape == (7, faces.SIDE, faces.SIDE, 3) and set(portraits.shards) == {0, shards.PAIRS}
    assert set((np.abs(factors[3::2] - factors[4::2]) > 1e-3).sum(1)) <= {1, 2}
    held = faces.load_held_out([folder])
    assert len(held["all"][0]) == 12 and len(held["pairs"][0]) == 6


def test_captions_of_a_batch_are_in_both_languages_and_true_of_a_face(folder):
    _, factors = faces.load_held_out([folder])["all"]
    texts, truths, meanings = prompts.captions_of(factors, 3, 40, np.random.RandomState(0))
    assert len(texts) == 40 and truths.shape == (12, 40)
    assert (truths[:, 2:] > 0).any(0).mean() > 0.7 and (truths[:, :2] == 1).all()  # but for their rivals
    assert 12 <= sum(not text.isascii() for text in texts) <= 28


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rival_is_never_true_where_a_caption_is(language):
    table, rng = truth_table(np.random.RandomState(0).randn(200, 31)), np.random.RandomState(1)
    count = 0
    for row in range(60):
        said = prompts.short(table[row], rng, language)
        for rival in prompts.rivals_of(said, rng, language) if said.statements else ():
            ours, theirs = (prompts.judge(table, one.statements) for one in (said, rival))
            assert rival.text != said.text and not ((ours > 0) & (theirs > 0)).any()
            count += 1
    assert count > 20


def test_a_ranking_loss_falls_with_the_margin_and_does_not_see_the_undecided():
    truths = torch.tensor([[1, -1, 0], [1, 1, 0], [-1, -1, 0]], dtype=torch.int8)
    logits = torch.zeros(3, 3)
    assert losses.ranking_loss(logits, truths).item() == pytest.approx(
        np.log(2)
    )  # the first row alone counts
    logits[0, 2] = 50
    assert losses.ranking_loss(logits, truths).item() == pytest.approx(np.log(2))
    logits[0, 0] = 5
    assert losses.ranking_loss(logits, truths).item() < 0.01


def test_a_change_costs_nothing_where_words_point_along_it():
    images = torch.eye(4)[[0, 1]]  # the first of the pair smiles, the second has glasses
    moves = torch.nn.functional.normalize(images[0] - images[1], dim=0)
    texts = torch.stack([torch.eye(4)[2], torch.eye(4)[2] + 0.01 * moves, torch.eye(4)[2] - 0.01 * moves])
    truths = torch.tensor([[1, 1, -1], [1, -1, 1]], dtype=torch.int8)
    assert losses.change_loss(images, texts, 20.0, truths, neutrals=1).item() < 0.01
    assert losses.change_loss(images.flip(0), texts, 20.0, truths, neutrals=1).item() > 5


def test_a_batch_knows_which_faces_have_pictures(folder):
    portraits = faces.Portraits([folder], 0, every=1)
    portraits.batch(1, 0)
    batch = fit.prepare(portraits, PLAN, 64, 0)
    assert len(batch.images) == 6 and len(batch.factors) == len(batch.truths) == 6 + 4 + 6
    drawn = np.concatenate([factors for _, factors in portraits.shards.values()])
    found = batch.factors[batch.seen].numpy()
    assert (np.abs(found[:, None] - drawn[None]).max(2).min(1) == 0).all()
    own = batch.factors[-2 * batch.all_pairs :]
    assert set(((own[0::2] - own[1::2]).abs() > 1e-3).sum(1).tolist()) <= {1, 2}


def test_features_that_match_the_oracles_cost_nothing():
    targets = torch.randn(6, 8)
    assert oracle.match_loss(3 * targets, targets, 2).item() == pytest.approx(0, abs=1e-5)
    assert oracle.match_loss(-targets, targets, 2).item() == pytest.approx(3, abs=1e-4)


def test_captions_spread_from_those_that_say_nothing():
    one, other = torch.eye(3)[0], torch.eye(3)[1]
    assert losses.spread_loss(torch.stack([one, 2 * one, one, 3 * one]), 2).item() == pytest.approx(
        0, abs=1e-6
    )
    assert losses.spread_loss(torch.stack([one, one, other, -one]), 2).item() == pytest.approx(1.5)


def test_a_fit_goes_on_where_it_stopped(folder, tmp_path):
    portraits = faces.Portraits([folder], 0, every=1)
    batches = [fit.prepare(portraits, PLAN, 64, step) for step in range(4)]
    unbroken = fit.Fit(tmp_path / "a", PLAN, RESNET)
    for batch in batches:
        unbroken.learn(batch)
    first = fit.Fit(tmp_path / "b", PLAN, RESNET)
    for batch in batches[:2]:
        first.learn(batch)
    first.save()
    second = fit.Fit(tmp_path / "b", PLAN, RESNET)
    assert second.step == 2 and second.pictures == first.pictures > 0
    for batch in batches[2:]:
        second.learn(batch)
    for a, b in zip(unbroken.average.parameters(), second.average.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_the_right_prompt_wins_where_features_say_so():
    images = np.eye(3)[[0, 0, 1, 1, 2]]
    first, second = np.eye(3)[:1], np.eye(3)[1:2]
    is_first, is_second = np.array([1, 1, 0, 0, 0], bool), np.array([0, 0, 1, 1, 0], bool)
    assert questions.share_of_wins(images, first, second, is_first, is_second) == 1
    assert questions.share_of_wins(images, second, first, is_first, is_second) == 0
    assert (
        questions.share_of_wins(images, first, second, is_first, ~is_second & ~is_first) == 1
    )  # a tie is none
    assert np.isnan(questions.share_of_wins(images, first, second, is_first & False, is_first & False))


def test_changes_are_compared_with_directions_of_words(folder, monkeypatch):
    _, factors = faces.load_held_out([folder])["pairs"]
    table = truth_table(factors)[:, :, 0].astype(float)
    monkeypatch.setattr(changes, "directions", lambda clip, language: np.eye(len(ATTRIBUTES)))
    found = changes.evaluate_changes(None, table, factors)["zh"]
    assert found["right"] == 1 and found["cosine"] > 0.1 and found["other"] == 0
    monkeypatch.setattr(changes, "directions", lambda clip, language: -np.eye(len(ATTRIBUTES)))
    assert changes.evaluate_changes(None, table, factors)["en"]["right"] == 0


def test_every_attribute_has_an_opposite_in_words():
    table = truth_table(np.random.RandomState(0).randn(300, 31))
    for index, attribute in enumerate(ATTRIBUTES):
        other, degree = questions.opposite_of(index)
        assert (other, degree) == ((INDEX[attribute.opposite], 0) if attribute.opposite else (index, NOT))
        assert not ((table[:, index, 0] > 0) & (table[:, other, degree] > 0)).any()
        for language in LANGUAGES:
            assert questions.prompts_for(language, index, 0) and questions.prompts_for(
                language, other, degree
            )


def test_the_command_learns_reports_and_goes_on(folder):
    settings = [f"{name}={getattr(PLAN, name)}" for name in (*SMALL, "match_from", "contrast_from")]
    command = ["--folder", str(folder), "--config", json.dumps(RESNET), "--set", *settings]
    __main__.main([*command, "--limit", "12"])
    __main__.main([*command, "--limit", "24"])
    lines = [json.loads(line) for line in (folder / __main__.HISTORY).read_text().splitlines()]
    assert [line["pictures"] for line in lines] == [12, 24]
    assert set(lines[1]["changes"]["zh"]) == {"right", "cosine", "other"}
    assert set(lines[1]["negations"]) == {"en", "zh"} and 0 <= lines[1]["not_en"]["wavy hair"] <= 1
    assert set(lines[0]["summary"]) == {"en", "zh"} and 0 <= lines[0]["zh"]["happy"] <= 1
    clip, pictures = export.load_fitted(folder, config=RESNET)
    assert pictures in (12, 24) and clip.config["vision_width"] == 8
    with pytest.raises(UserError, match="colour is unknown; known: people, pairs"):
        __main__.main([*command[:2], "--set", "colour=red"])
