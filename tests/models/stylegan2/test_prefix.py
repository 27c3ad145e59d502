# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Synthesis layer by layer is the synthesis, and takes the memory that is foretold."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from tiny_world import tiny_generator

from ppstyleclip.errors import UserError
from ppstyleclip.models.forms import count_tensors, prefix_drawing_of, side_of_tensors
from ppstyleclip.models.generator import PrefixState


@pytest.fixture(scope="module")
def generator():
    return tiny_generator()


@paddle.no_grad()
def test_synthesis_layer_by_layer_is_the_synthesis(generator):
    z = np.random.RandomState(5).randn(3, generator.style_dim).astype(np.float32)
    styles = generator.style_affine(generator.get_latent(paddle.to_tensor(z)))
    whole = generator.synthesis_from_styles(styles, noise="const").numpy()
    drawing = prefix_drawing_of(generator)
    state = drawing.initial_state(3)
    np.testing.assert_allclose(drawing.run_remaining(state, styles).numpy(), whole, atol=1e-5)
    for k, style in enumerate(styles):
        order = paddle.to_tensor([2, 0])
        rest = [later.index_select(order) for later in styles[k:]]
        picked = drawing.run_remaining(state.index_select(order), rest)
        np.testing.assert_allclose(picked.numpy(), whole[[2, 0]], atol=1e-5)
        singles = [state.index_select(paddle.to_tensor([i])) for i in range(3)]
        state = PrefixState.concat(
            [drawing.run_layer(single, style[i : i + 1]) for i, single in enumerate(singles)]
        )
    assert state.k == len(styles)
    np.testing.assert_allclose(state.tensors["image"].numpy(), whole, atol=1e-5)


def test_states_and_cached_convolutions_have_the_size_that_is_foretold(generator):
    drawing = prefix_drawing_of(generator)
    state = drawing.initial_state(1)
    for k, width in enumerate(generator.layout.channels):
        held = sum(tensor.size for tensor in state.tensors.values())
        assert drawing.state_bytes(k) == 4 * held <= drawing.activation_bytes()
        if k in drawing.cacheable:
            cached = drawing.cache_convolution(state, paddle.ones([1, width]))
            arrays = [cached.x, cached.y, *cached.passing.values()]
            assert drawing.cached_bytes(k) == 4 * sum(array.size for array in arrays)
        state = drawing.run_layer(state, paddle.ones([1, width]))


def test_drawing_stops_where_there_is_a_picture(generator):
    drawing = prefix_drawing_of(generator)
    assert drawing.stops == {4: 2, 8: 5, 16: 8}
    assert [count_tensors(drawing, side) for side in (None, 8)] == [8, 5] and side_of_tensors(drawing, 5) == 8
    assert drawing.cacheable == (0, 2, 3, 5, 6)
    with pytest.raises(UserError, match="draws pictures of 4, 8, 16 px on its way; it cannot stop at 12"):
        count_tensors(drawing, 12)
