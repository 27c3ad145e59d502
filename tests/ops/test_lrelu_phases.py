# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The filtered leaky ReLU phase by phase is the plain one, and so are its gradients."""

import numpy as np
import paddle
import pytest

from ppstyleclip.ops import filtered_lrelu_reference
from ppstyleclip.ops.lrelu_phases import apply_phases, insert_zeros, lrelu_phases

RNG = np.random.RandomState(1)
UP = {2: RNG.uniform(0, 0.2, 12), 4: RNG.uniform(0, 0.1, 24)}
TAPS, KERNEL = RNG.uniform(0, 0.2, 12), RNG.uniform(0, 0.02, [12, 12])  # neither is symmetric


def phase_by_phase(x, bias, up_filter, down_filter, *, up, down, pad, clamp):
    phases = lrelu_phases(x.shape[3], up_filter, down_filter, up=up, down=down, pad=pad, gain=2**0.5)
    made = {}

    def constant(name, array):
        assert (made.setdefault(name, array) == array).all()  # a name is one array
        return paddle.to_tensor(array)

    stuffed = insert_zeros(x + bias.reshape([-1, 1, 1]), up // down, constant)
    return apply_phases(stuffed, phases, constant, slope=0.2, clamp=clamp)


@pytest.mark.parametrize("down_filter", [TAPS, KERNEL])
@pytest.mark.parametrize(
    "up, down, pad", [(2, 2, (9, 8)), (2, 2, (-5, -6)), (4, 2, (14, 11)), (4, 2, (1, -3)), (2, 1, (3, 4))]
)
def test_it_is_the_plain_form(up, down, pad, down_filter):
    x, bias = RNG.standard_normal((2, 3, 19, 19)).astype("float32"), paddle.to_tensor([0.1, -0.2, 0.3])
    options = {"up": up, "down": down, "pad": pad, "clamp": 1.5}
    found = []
    for form in (phase_by_phase, filtered_lrelu_reference):
        leaf = paddle.to_tensor(x, stop_gradient=False)
        result = form(leaf, bias, UP[up], down_filter, **options)
        seed = np.random.RandomState(2).standard_normal(result.shape).astype("float32")
        [gradient] = paddle.grad([result], [leaf], [paddle.to_tensor(seed)])
        found.append((result.numpy(), gradient.numpy()))
    (result, gradient), (wanted, wanted_gradient) = found
    assert np.abs(wanted).max() > 0.1
    np.testing.assert_allclose(result, wanted, atol=1e-5 * np.abs(wanted).max())
    np.testing.assert_allclose(gradient, wanted_gradient, atol=1e-3 * np.abs(wanted_gradient).max())


def test_a_phase_is_no_larger_than_the_result():
    for phase in lrelu_phases(52, UP[2], KERNEL, up=2, down=2, pad=(9, 8), gain=1.0):
        side = 52 + phase.pads[0] + phase.pads[1] - len(phase.up_kernels[0]) + 1
        assert side - len(phase.down_kernel) + 1 == 50
        assert phase.up_kernels[0].shape == phase.down_kernel.shape == (6, 6)
