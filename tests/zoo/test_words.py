# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Seed 000's table of texts: torch's numbers of seed 1."""

import numpy as np
import pytest

from ppstyleclip.zoo import seed000_words

# torch.manual_seed(1); torch.nn.Embedding(6, 512).weight[:, :3], printed by PyTorch 2.13.0
FIRST = [
    [-1.5256, -0.7502, -0.6540],
    [0.5190, 1.3395, -0.2388],
    [0.8936, -1.0561, -0.1777],
    [0.7093, 0.6284, 1.7028],
    [-0.2774, -0.0008, -1.3519],
    [-1.0465, -0.6826, 0.4257],
]


@pytest.mark.parametrize("count", [4, 5, 6])
def test_rows_are_torchs(count):
    words = seed000_words(count)
    assert words.shape == (count, 512) and words.dtype == np.float32
    np.testing.assert_allclose(words[:, :3], FIRST[:count], rtol=0, atol=6e-5)
    assert abs(words.mean()) < 0.05 and abs(words.std() - 1) < 0.05


@pytest.mark.parametrize("count", [0, 7])
def test_tables_that_were_never_published_are_refused(count):
    with pytest.raises(ValueError, match=f"1 to 6 texts; got {count}"):
        seed000_words(count)
