# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The recipe of the portrait world's generator: the twin draws Paddle's pictures, and every part goes on."""

from __future__ import annotations

import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.worlds.portrait.factors import NUM_FACTORS, factors_from_z, sample_z  # noqa: E402
from ppstyleclip.worlds.portrait.training import (  # noqa: E402
    checkpoint,
    crops,
    evaluation,
    export,
    fit,
    losses,
    pace,
    pause,
    regressor,
    schedule,
    shards,
    start,
)
from ppstyleclip.worlds.portrait.training.muon import orthogonal  # noqa: E402
from ppstyleclip.worlds.portrait.training.network import Generator  # noqa: E402
from ppstyleclip.worlds.portrait.training.reader import Reader  # noqa: E402
from ppstyleclip.worlds.portrait.training.sheet import save_sheet  # noqa: E402

TINY = {4: 12, 8: 12, 16: 10, 32: 8, 64: 6, 128: 4, 256: 4}


def tiny(size):
    torch.manual_seed(1)
    generator = Generator(size, style_dim=16, channels=TINY)
    with torch.no_grad():  # biases and noise strengths start at 0, which would hide faults
        for name, parameter in generator.named_parameters():
            if name.endswith(("bias", "noise.weight")):
                parameter.add_(0.3 * torch.randn_like(parameter))
    return generator


def latents(count, dim=16):
    return np.random.RandomState(0).randn(count, dim).astype(np.float32)


@pytest.mark.parametrize("size", (64, 128, 256))
def test_the_exported_prefix_draws_the_same_in_paddle(tmp_path, size):
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.zoo.generators import generator_fingerprint, load_generator

    whole, z = tiny(256), latents(2)
    mark = export.save_generator(tmp_path / "g.safetensors", export.prefix(whole, size), half=False)
    loaded, metadata = load_generator(tmp_path / "g.safetensors")
    assert mark == metadata["fingerprint"] == generator_fingerprint(loaded)
    styles = loaded.style_affine(loaded.get_latent(paddle.to_tensor(z)))
    theirs = loaded.synthesis_from_styles(styles, noise="const").numpy()
    with torch.no_grad():
        ours = whole(torch.from_numpy(z), size).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())


def test_windows_are_parts_of_the_whole_picture():
    generator, z = tiny(256), torch.from_numpy(latents(3))
    corners = np.array([[0, 5], [crops.TRUNK - crops.WINDOW, 12]])
    with torch.no_grad():
        whole = generator.pictures(generator.styles(z))
        parts = crops.draw(generator, generator.styles(z), corners, 256)
    torch.testing.assert_close(parts[64], whole[64])
    for scale, side in ((2, 128), (4, 256)):
        inside = torch.nn.functional.interpolate(crops.valid(corners), scale_factor=scale)
        want = crops.cut(whole[side], corners, scale)
        torch.testing.assert_close(parts[side] * inside, want * inside, rtol=1e-4, atol=1e-4)


def test_the_block_of_128_px_is_drawn_whole_for_who_looks_at_it():
    generator, z = tiny(256), torch.from_numpy(latents(3))
    corners = np.array([[3, 5], [crops.TRUNK - crops.WINDOW, 12]])
    with torch.no_grad():
        whole = generator.pictures(generator.styles(z))
        parts = crops.draw(generator, generator.styles(z), corners, 256, whole=128)
    torch.testing.assert_close(parts[64], whole[64])
    torch.testing.assert_close(parts[128], whole[128][:2])
    inside = torch.nn.functional.interpolate(crops.valid(corners), scale_factor=4)
    torch.testing.assert_close(
        parts[256] * inside, crops.cut(whole[256], corners, 4) * inside, rtol=1e-4, atol=1e-4
    )


def test_w_stays_what_it_is_where_it_is_held(tmp_path):
    parts = {"style_dim": 128, "channels": TINY}
    learnt = fit.Fit(
        tmp_path, fit.Plan(batch=2, middle=0, upper=0, whole=128, refine=0, w_rate=0), 256, **parts
    )
    before = {name: value.clone() for name, value in learnt.generator.state_dict().items()}
    rng = np.random.RandomState(0)
    pixels, maps = rng.randint(0, 256, (2, 256, 256, 3), np.uint8), rng.randint(0, 10, (2, 64, 64))
    torch.manual_seed(0)
    reader = Reader(width=4, side=96).eval().requires_grad_(False)
    learnt.learn(sample_z(0, 2), pixels, maps, reader)
    after = learnt.generator.state_dict()
    same = {name for name, value in before.items() if torch.equal(value, after[name])}
    held = {name for name in before if name.startswith("style.")}
    assert held <= same and "conv1.conv.modulation.weight" not in same and "convs.0.conv.weight" not in same


def test_a_regressor_of_any_size_sees_pictures_of_its_own_size_or_larger_ones(tmp_path):
    torch.manual_seed(0)
    checkpoint.save(tmp_path / regressor.NAME, Reader(width=4, side=96).state_dict())
    reader = regressor.load_reader(tmp_path)
    assert (reader.width, reader.side) == (4, 96)
    image = torch.rand(2, 3, 128, 128) * 2 - 1
    assert losses.feature_loss(reader, image, image).item() == 0
    assert losses.feature_loss(reader, image, -image).item() > 0
    with pytest.raises(UserError, match="64 px are drawn whole; at least 96"):
        losses.feature_loss(reader, image[..., :64, :64], image[..., :64, :64])


def test_the_mapping_starts_with_the_factors_in_w():
    generator, z = start.build(8), sample_z(3, 64)
    layer = generator.style[1]
    with torch.no_grad():
        unit = generator.style[0](torch.from_numpy(z))
        before = super(type(layer), layer).forward(unit).numpy()
    factors = factors_from_z(z)
    for copy, (sign, shift) in enumerate(start.BENDS):
        got = before[:, copy * NUM_FACTORS : (copy + 1) * NUM_FACTORS]
        for k in range(NUM_FACTORS):
            assert np.corrcoef(got[:, k] - shift, sign * factors[:, k])[0, 1] > 0.97


def test_shards_hold_pictures_and_maps_of_their_latents(folder):
    shard = shards.Shard(shards.shard_path(folder, 0))
    factors = factors_from_z(shard.z)
    for row in (0, 7):
        drawn = shards.render(factors[row], shards.SIDE).astype(float)
        assert np.abs(shard.pixels(row) - drawn).mean() < 2
        assert (shard.maps[row] == shards.part_map(factors[row])).all()
    assert {"mouth", "eyes"} <= {shards.REGIONS[i] for i in np.unique(shard.maps)}


def test_faces_never_come_from_held_out_shards(folder):
    faces = shards.Faces(folder, 0)
    assert [p.name for p in faces.paths()] == ["faces-0.npz"]
    z, pixels, maps = faces.batch(3)
    assert z.shape[0] == 3 and pixels.shape == (3, 256, 256, 3) and maps.shape == (3, 64, 64)


def test_bands_add_up_to_the_picture_and_no_difference_costs_nothing():
    image = torch.rand(2, 3, 32, 32)
    bands = losses.split_bands(image, 2)
    again = bands[-1]
    for band in bands[1::-1]:
        again = band + torch.nn.functional.interpolate(
            again, scale_factor=2, mode="bilinear", align_corners=False
        )
    torch.testing.assert_close(again, image)
    weights = losses.part_weights(np.random.RandomState(0).randint(0, 10, (2, 64, 64)))
    small = torch.nn.functional.avg_pool2d(weights, 2)
    assert weights.mean().item() == pytest.approx(1)
    assert losses.band_loss(image, image, small, bands=2, rest=True, texture=1).item() == 0


def test_the_learning_rate_falls_and_restarts():
    plan = fit.Plan(rate=1.0, first_cycle=10_000, cycle=20_000)
    low, restarted, high = (fit.learning_rate(plan, p) for p in (9_999, 10_000, 12_000))
    assert low == pytest.approx(plan.floor, abs=0.01) and restarted < 0.2 and high > 0.9


def test_rates_and_averages_are_those_of_the_formulas():
    plan = fit.Plan(rate=2.0, floor=0.1, first_cycle=10_000, cycle=20_000, batch=10)
    assert [schedule.cosine_rate(2.0, 0.1, share) for share in (0.0, 1.0, 1.5)] == pytest.approx(
        [2, 0.2, 0.2]
    )
    assert schedule.cosine_rate(2.0, 0.1, 0.5, 0.5) == pytest.approx(2 * 0.5 * (0.1 + 0.9 * 0.5))
    assert fit.learning_rate(plan, 0) == pytest.approx(2 / 200)  # the first of 200 steps
    assert fit.learning_rate(plan, 20_000) == pytest.approx(2 * (0.1 + 0.9 * 0.5))  # half of the second cycle
    average, now = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    torch.nn.init.constant_(now.weight, 3.0)
    now.running_mean += 8
    now.num_batches_tracked += 5
    schedule.follow(average, now, 0.75, step=1000)
    assert average.weight.tolist() == [1.5, 1.5] and average.running_mean.tolist() == [2.0, 2.0]
    assert average.num_batches_tracked == 5
    schedule.follow(average, now, 0.75, step=10)  # half of the way, early
    assert average.weight.tolist() == [2.25, 2.25]


def test_updates_of_muon_have_even_singular_values():
    values = torch.linalg.svdvals(orthogonal(torch.randn(12, 40)))
    assert 0.6 < values.min() and values.max() < 1.3


def test_a_fit_goes_on_where_it_stopped(folder, tmp_path):
    plan = fit.Plan(batch=2, middle=2, upper=4, refine=4)
    faces = shards.Faces(folder, 0)
    batches = [faces.batch(2) for _ in range(4)]
    unbroken = fit.Fit(tmp_path / "a", plan, size=128, channels=TINY)
    for batch in batches:
        unbroken.learn(*batch)
    first = fit.Fit(tmp_path / "b", plan, size=128, channels=TINY)
    for batch in batches[:2]:
        first.learn(*batch)
    first.save()
    second = fit.Fit(tmp_path / "b", plan, size=128, channels=TINY)
    assert (second.pictures, second.side) == (4, 128)
    for batch in batches[2:]:
        second.learn(*batch)
    for a, b in zip(unbroken.average.parameters(), second.average.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_a_fit_starts_from_an_exported_generator_and_grows(tmp_path):
    small = tiny(64)
    export.save_generator(tmp_path / "g.safetensors", small, half=False, pictures=4000)
    plan = fit.Plan(batch=2)
    grown = fit.Fit(tmp_path, plan, size=128, start=tmp_path / "g.safetensors", channels=TINY, style_dim=16)
    assert (grown.pictures, grown.step) == (4000, 2000)
    z = torch.randn(2, 16)
    for network in (grown.generator, grown.average):
        torch.testing.assert_close(network(z, 64), small(z))
    wide = dict.fromkeys(TINY, 20)
    with pytest.raises(UserError, match="g.safetensors does not fit: .*size mismatch"):
        fit.Fit(tmp_path, plan, size=64, start=tmp_path / "g.safetensors", channels=wide, style_dim=16)


def test_frozen_blocks_stay_and_those_above_learn(folder, tmp_path):
    plan = fit.Plan(batch=2, middle=0, upper=0, refine=0, frozen=64)
    grown = fit.Fit(tmp_path, plan, size=128, channels=TINY)
    before = {name: value.clone() for name, value in grown.generator.state_dict().items()}
    for _ in range(2):
        grown.learn(*shards.Faces(folder, 0).batch(2))
    for network in (grown.generator, grown.average):
        changed = {name for name, value in network.state_dict().items() if not value.equal(before[name])}
        assert changed == {
            name
            for name in before
            if name.startswith(("convs.8", "convs.9", "to_rgbs.4.conv"))
            or name in ("to_rgbs.4.bias", "noises.noise_9", "noises.noise_10")
        }


def test_held_out_faces_give_figures_and_a_sheet(folder, tmp_path):
    held = evaluation.HeldOut(folder)
    figures, pixels = evaluation.evaluate(Generator(64, channels=TINY), held, 64)
    assert pixels.shape == (8, 64, 64, 3) and {"psnr64", "face", "mouth", "band64"} <= set(figures)
    save_sheet(tmp_path / "sheet.png", held.pixels, held.pixels[:, ::4, ::4])
    assert (tmp_path / "sheet.png").exists()


def test_a_checkpoint_is_whole_and_absent_ones_are_none(tmp_path):
    assert checkpoint.load(tmp_path / "state.pt") is None
    checkpoint.save(tmp_path / "state.pt", {"step": 3, "x": {"y": torch.ones(2)}})
    assert checkpoint.load(tmp_path / "state.pt")["step"] == 3
    assert [p.name for p in tmp_path.iterdir()] == ["state.pt"]


@pytest.mark.parametrize("cost, best", (({1: 2.0, 2: 1.0}, 2), ({1: 1.0, 2: 2.0}, 1)))
def test_the_faster_number_of_threads_is_chosen(cost, best):
    before, now = torch.get_num_threads(), [0.0]
    choice = pace.choose_threads(2, trial=3, every=10, clock=lambda: now[0])
    try:
        counts = []
        for _ in range(13):
            counts.append(next(choice))
            assert torch.get_num_threads() == counts[-1]
            now[0] += cost[counts[-1]]
        assert counts[:8] == [1] * 4 + [2] * 4 and set(counts[8:]) == {best}
    finally:
        torch.set_num_threads(before)


def test_a_file_named_pause_makes_everything_wait(tmp_path):
    pause.wait_while_paused(tmp_path, 1000)
    (tmp_path / "PAUSE").touch()
    threading.Timer(0.1, (tmp_path / "PAUSE").unlink).start()
    assert pause.wait_while_paused(tmp_path, 0.01) >= 0.09
    (tmp_path / "PAUSE").touch()
    pause.wait_while_paused(tmp_path, 1000, told=[15])


def test_a_regressor_of_another_width_and_seed_takes_the_place_of_the_first(folder, tmp_path, capsys):
    (tmp_path / "data").symlink_to(folder / "data")
    short = ["--folder", str(tmp_path), "--steps", "1", "--batch", "2", "--threads", "1"]
    found = []
    for seed in ("7", "8"):
        regressor.main([*short, "--width", "6", "--side", "96", "--seed", seed])
        reader = regressor.load_reader(tmp_path)
        assert (reader.width, reader.side) == (6, 96) and "held out:" in capsys.readouterr().out
        found.append(reader.out.weight.numpy())
        for path in (tmp_path / regressor.NAME, tmp_path / regressor.STATE):
            path.unlink(missing_ok=True)
    assert np.abs(found[0] - found[1]).max() > 0.01
