# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A few fuzzed examples of every schema and reader; benchmarks/fuzz_readers.py tries many."""

import pytest

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis comes with the extra `test`")
fuzz_values = pytest.importorskip("fuzz_values")

FEW = 8


@pytest.mark.parametrize("name", fuzz_values.TARGETS)
def test_a_few_examples(name):
    strategy, read = fuzz_values.TARGETS[name]

    @hypothesis.settings(
        max_examples=FEW,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def run(value):
        read(value)

    run()
