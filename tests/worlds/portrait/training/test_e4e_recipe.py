# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The recipe of e4e's encoder: its twin, its heads in turn, short offsets, and a critic of latents."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch_twins import small_generator, stirred  # noqa: E402

from ppstyleclip.worlds.portrait.factors import Z_DIM  # noqa: E402
from ppstyleclip.worlds.portrait.training import people, shards  # noqa: E402
from ppstyleclip.worlds.portrait.training.encoder import editability, fit  # noqa: E402
from ppstyleclip.worlds.portrait.training.encoder.heads import Encoder4Editing  # noqa: E402
from ppstyleclip.worlds.portrait.training.export import save_generator  # noqa: E402

SHAPE = {"widths": (4, 8, 8, 16), "depths": (1, 2, 1, 1), "head_widths": (12, 3), "input_size": 64}
CONFIG = json.dumps({"encoder_type": "Encoder4Editing", **SHAPE})
HEADS = 12


def images(count):
    return np.random.RandomState(1).uniform(-1, 1, (count, 3, 64, 64)).astype(np.float32)


@pytest.fixture(scope="module")
def generator():
    return small_generator()


@pytest.fixture(scope="module")
def target(generator):
    return fit.Target(generator)


@pytest.mark.parametrize("heads", (5, HEADS))
def test_the_twin_gives_paddles_latents(tmp_path, heads):
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.zoo import load_encoder

    twin, pictures = stirred(Encoder4Editing(**SHAPE, num_styles=heads, style_dim=24)), images(2)
    fit.save(tmp_path / "e.safetensors", twin, np.arange(24.0), generator="0" * 16, half=False)
    loaded, _ = load_encoder(tmp_path / "e.safetensors", name="portrait", generator="0" * 16)
    assert loaded.network.is_relative
    theirs = loaded.network(paddle.to_tensor(pictures)).numpy()
    with torch.no_grad():
        ours = twin(torch.from_numpy(pictures)).numpy()
    assert np.abs(theirs[:, 1:] - theirs[:, :1]).min(axis=2).max() > 0  # each head has its say
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())


def test_a_fit_begins_with_all_of_an_encoder_of_the_same_make(tmp_path, target):
    plan = fit.Plan(critic=0.02, config=CONFIG)
    first = stirred(fit.build_encoder(target, plan))
    fit.save(tmp_path / "e.safetensors", first, target.mean.numpy(), generator="0" * 16, half=False)
    begun = fit.build_encoder(target, plan, tmp_path / "e.safetensors").eval()
    with torch.no_grad():
        torch.testing.assert_close(begun(torch.from_numpy(images(2))), first(torch.from_numpy(images(2))))


def test_a_shut_head_gives_no_offset_and_an_open_one_what_it_gives_with_all(target):
    encoder, pictures = stirred(Encoder4Editing(**SHAPE, num_styles=HEADS, style_dim=24)), images(3)
    with torch.no_grad():
        whole = encoder(torch.from_numpy(pictures))
        some = encoder(torch.from_numpy(pictures), 4)
        alone = encoder(torch.from_numpy(pictures), 1)
    torch.testing.assert_close(some[:, :4], whole[:, :4])
    torch.testing.assert_close(some[:, 4:], whole[:, :1].expand(-1, HEADS - 4, -1))
    assert editability.delta_loss(alone).abs() < 1e-9 < 0.1 < editability.delta_loss(whole)


def test_offsets_begin_at_nothing_and_their_heads_learn():
    encoder = Encoder4Editing(**SHAPE, num_styles=HEADS, style_dim=24)
    w_plus = encoder(torch.from_numpy(images(2)))
    assert editability.delta_loss(w_plus) == 0
    w_plus[:, 5].sum().backward()
    assert encoder.styles[5].linear.weight.grad.abs().max() > 0
    assert not encoder.styles[6].linear.weight.grad.any()


def test_the_delta_loss_is_the_sum_of_lengths():
    w_plus = torch.zeros(2, 3, 4)
    w_plus[0, 1, :2] = torch.tensor([3.0, 4.0])  # 5 in one of two pictures
    w_plus[:, 2, 3] = 2.0
    torch.testing.assert_close(editability.delta_loss(w_plus), torch.tensor(4.5), atol=1e-4, rtol=0)
    w_plus = torch.ones(2, 3, 4, requires_grad=True)
    editability.delta_loss(w_plus).backward()
    assert torch.isfinite(w_plus.grad).all()


def test_heads_open_one_after_another():
    plan = fit.Plan(steps=1000, open_from=0.2, open_until=0.6)
    opened = [editability.opened_heads(step, plan, 14) for step in range(1000)]
    assert opened[:200] == [1] * 200 and opened[200] == 2 and opened[600:] == [14] * 400
    assert set(np.diff(opened)) == {0, 1} and sorted(set(opened)) == list(range(1, 15))


def test_a_critic_tells_real_w_from_noise(target):
    """Noise of w's own mean and deviations, which the critic's units do not give away."""
    torch.manual_seed(0)
    critic = editability.CriticFit(target, fit.Plan(critic_rate=2e-3, r1=0.1))

    def noise(count):
        return target.mean + target.latent_std * torch.randn(count, 1, Z_DIM)

    first = critic.learn(noise(64), 1, 0)
    for step in range(1, 150):
        last = critic.learn(noise(64), 1, step)
    with torch.no_grad():
        real, made = critic.network(critic.real(9999, 400)), critic.network(noise(400)[:, 0])
    assert last < 0.8 * first
    assert ((real > 0).float().mean() + (made < 0).float().mean()) / 2 > 0.75
    assert critic.loss(noise(64), 1) > critic.loss(critic.real(7, 64)[:, None], 1)  # what an encoder pays


def test_r1_is_the_squared_slope_at_real_w(target):
    critic = editability.CriticFit(target, fit.Plan())
    torch.manual_seed(1)
    weights = torch.randn(Z_DIM)
    critic.network.layers = torch.nn.Linear(Z_DIM, 1, bias=False)
    with torch.no_grad():
        critic.network.layers.weight.copy_(weights[None])
    torch.testing.assert_close(critic.penalty(critic.real(0, 5)), weights.square().sum())


@pytest.fixture(scope="module")
def both(tmp_path_factory, generator):
    folder = tmp_path_factory.mktemp("run")
    shards.write_shard(folder, 0, count=8)
    mark = save_generator(folder / "g.safetensors", generator, half=False)
    return people.gather(folder, generator, mark, shards=1, count=6, keep=folder)


def plan(steps, **changes):
    return fit.Plan(**{**fit.E4E, "steps": steps, "batch": 4, "draw_batch": 2, "config": CONFIG, **changes})


def test_the_fit_goes_on_with_its_critic(tmp_path, both, target, monkeypatch):
    """What the critic has learnt is there again, so that it does not begin anew beside a good encoder."""
    list(fit.fit(tmp_path, both, target, None, plan(2, open_from=0.0)))
    (name,) = (path.name for path in tmp_path.iterdir())
    assert name == plan(1).state == "encoder-e4e-state.pt"
    state, met = torch.load(tmp_path / name, weights_only=True), []
    assert state["step"] == 2 and state["critic optimizer"]["state"]
    learn = editability.CriticFit.learn

    def watched(critic, *rest):
        met.append({key: value.clone() for key, value in critic.network.state_dict().items()})
        return learn(critic, *rest)

    monkeypatch.setattr(editability.CriticFit, "learn", watched)
    (record,) = fit.fit(tmp_path, both, target, None, plan(4, open_from=0.0))
    assert record[0] == 4 and len(record[1]) == len(fit.FIGURES) and np.isfinite(record[1]).all()
    torch.testing.assert_close(met[0], dict(state["critic"]))
    assert len(met) == 2 and not torch.equal(met[0]["layers.0.weight"], met[1]["layers.0.weight"])


@pytest.mark.slow
def test_the_fit_learns_and_leaves_a_file_of_its_own(tmp_path, both, target):
    run = plan(200, draw_from=2.0)
    first, last = (np.ravel(record[1]) for record in fit.fit(tmp_path, both, target, None, run))
    assert last[0] < first[0] and last[4] > 0
    assert (run.result, fit.Plan().result) == ("encoder_e4e.safetensors", "encoder.safetensors")
