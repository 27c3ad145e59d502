# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile, cut off and damaged weight files: one clear line each, no code run, bounded memory and time."""

import re
import sys
import time
import tracemalloc
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import fuzz_formats
import hostile_files as hostile
import pytest
from edges import edges, slow

from ppstyleclip.errors import UserError
from ppstyleclip.formats import load_arrays, load_latent, load_weights

# What Python reports when code is run, made or fetched, or a process started; see sys.addaudithook.
FORBIDDEN = (
    "exec",
    "compile",
    "import",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "os.mkdir",
    "os.rename",
    "subprocess.Popen",
    "pickle.find_class",
    "ctypes.dlopen",
    "socket.connect",
)
SEEDS = fuzz_formats.seeds()
heard = None  # a list while a file is read: what was reported


def _listen(event, arguments):
    if heard is not None and (event in FORBIDDEN or event == "open" and _writes(arguments)):
        heard.append((event, arguments))


def _writes(arguments) -> bool:
    mode = arguments[1]
    return mode is not None and any(letter in str(mode) for letter in "wax+")


sys.addaudithook(_listen)  # for good: a hook cannot be taken off, but it only listens within `watched`


def watched(read, path):
    """Call `read(path)` and see that it ran nothing and took little; what its UserError says, or None."""
    global heard
    heard, began = [], time.perf_counter()
    tracemalloc.start()
    try:
        read(path)
        said = None
    except UserError as error:
        said = str(error)
    finally:
        events, heard = heard, None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert not events
    assert time.perf_counter() - began < 30
    assert peak < 16 * 2**20 + 300 * path.stat().st_size, f"{peak / 2**20:.0f} MiB"
    return said


def refused(path, data, words):
    path.write_bytes(data)
    said = watched(load_arrays, path)
    assert said is not None and "\n" not in said and path.name in said and len(said) < 400
    assert re.search(words, said), said
    for read in (load_weights, load_latent):
        with pytest.raises(UserError):
            read(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pt"


def cases(found, carriers=None):
    """Parameters for each case, in each carrier."""
    found = list(found)
    assert len({case[0] for case in found}) == len(found)
    if carriers is None:
        return [pytest.param(*case[1:], id=case[0]) for case in found]
    # Within a nested file less is known, so that other names may be the first to be refused.
    return [
        pytest.param(carry(case[1]), case[2] + "|asks for" * (name == "nested"), id=f"{name}: {case[0]}")
        for case in found
        for name, carry in carriers.items()
    ]


@pytest.mark.parametrize("data, words", edges(cases(hostile.code_cases(), hostile.CARRIERS), 120))
def test_code_is_refused_by_its_name(path, data, words):
    refused(path, data, words)


@pytest.mark.parametrize("data, words", cases(hostile.tensor_cases(), hostile.TENSOR_CARRIERS))
def test_tensors_stay_within_their_storages(path, data, words):
    refused(path, data, words)


@pytest.mark.parametrize(
    "data, words", cases(hostile.identity_cases(), {"zip": hostile.archive, "legacy": hostile.legacy})
)
def test_persistent_ids(path, data, words):
    refused(path, data, words)


@pytest.mark.parametrize("data, words", cases(hostile.archive_cases()))
def test_archives(path, data, words):
    refused(path, data, words)


@pytest.mark.parametrize("data, words", cases(hostile.legacy_cases()))
def test_old_files(path, data, words):
    refused(path, data, words)


@pytest.mark.parametrize("data, words", cases(hostile.nvidia_cases()))
def test_nvidia_networks(path, data, words):
    refused(path, data, words)


@pytest.mark.parametrize("data, words", cases(hostile.numpy_cases()))
def test_arrays_of_numpy(path, data, words):
    refused(path, data, words)


@pytest.mark.parametrize("data, words", cases(hostile.safetensors_cases()))
def test_safetensors(path, data, words):
    refused(path, data, words)


# Empty dicts and empty lists are made by the same code.
@pytest.mark.parametrize(
    "data",
    [
        slow(case) if case.id == "empty dicts and nothing else" else case
        for case in cases(hostile.bomb_cases())
    ],
)
def test_bombs(path, data):
    path.write_bytes(data)
    watched(load_arrays, path)  # refused or read: what counts is what it takes


@pytest.mark.parametrize("kind", edges(SEEDS, 6))
def test_every_kind_is_read_whole_and_refused_when_cut_off(path, kind):
    data = SEEDS[kind]
    path.write_bytes(data)
    assert watched(load_arrays, path) is None
    for k in range(50):
        path.write_bytes(data[: len(data) * k // 50])
        said = watched(load_arrays, path)
        assert said is not None and "\n" not in said and path.name in said
    path.write_bytes(data[:-1])
    assert watched(load_arrays, path)


@pytest.mark.slow
def test_a_short_fuzz(tmp_path):
    # The long one: python tests/fuzz_formats.py 100000
    went, wrong, ways = fuzz_formats.fuzz(400, seed=3, folder=tmp_path, seconds=10)
    assert not wrong, wrong[0]
    assert went["read"] > 20 and went["refused"] > 200 and ways > 400


def test_the_canary_sings(path):
    def run(_):
        eval("1 + 1")

    path.write_bytes(b"x")
    with pytest.raises(AssertionError, match="compile|exec"):
        watched(run, path)
