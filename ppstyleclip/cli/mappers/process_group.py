# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The processes of paddle.distributed.launch, joined for a training."""

from __future__ import annotations

import numpy as np

from ppstyleclip.jobs.ranks import Ranks
from ppstyleclip.methods.mapper import ALONE, ProcessGroup


def join_process_group(ranks: Ranks) -> ProcessGroup:
    """Connect the processes of paddle.distributed.launch; one process needs nothing."""
    if ranks.count == 1:
        return ALONE
    import paddle
    import paddle.distributed as distributed

    distributed.init_parallel_env()

    def all_reduce(array: np.ndarray) -> np.ndarray:
        tensor = paddle.to_tensor(array)
        distributed.all_reduce(tensor)
        return tensor.numpy()

    return ProcessGroup(ranks.rank, ranks.count, all_reduce)
