# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A few fuzzed examples of every schema and reader; benchmarks/fuzz_readers.py tries many."""

import pytest

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis comes with the extra `test`")
fuzz_values = pytest.importorskip("fuzz_values")

FEW, MORE = 4, 40


@pytest.mark.parametrize("count", [FEW, pytest.param(MORE, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", fuzz_values.TARGETS)
def test_a_few_examples(name, count):
    strategy, read = fuzz_values.TARGETS[name]

    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def run(value):
        read(value)

    run()
