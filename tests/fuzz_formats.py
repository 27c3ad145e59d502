# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fuzzes the readers of weight files: damaged copies of small files of every kind, in this very process.

    python tests/fuzz_formats.py 100000          # some minutes on one core; --seed 1 makes others
    python tests/fuzz_formats.py 1000 --kinds zip,nvidia --found /tmp/found

Guided by coverage: an input that takes the readers along a new way, from one line to another, is kept, and
damaged further. Each input must come back as a value or as a UserError of one line, within --seconds, and the
process must stay within --memory MiB; anything else is printed, and kept in the folder --found, and the exit
code is 1. The same seed makes the same inputs.
"""

from __future__ import annotations

import argparse
import io
import pickle
import pickletools
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import zipfile
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from collections import Counter
from pathlib import Path

import numpy as np
from nvidia_files import easy_dict, nested, save_nvidia, save_nvidia_tensorflow
from torch_files import (
    Call,
    Layer,
    Name,
    Object,
    bfloat16,
    channels_last,
    ordered_dict,
    parameter,
    pickled,
    save_torch_legacy,
    save_torch_zip,
    save_torchscript,
    whole,
)

from ppstyleclip import files, formats
from ppstyleclip.errors import UserError
from ppstyleclip.files import write_safetensors
from ppstyleclip.formats import SavedModule, load_arrays, load_latent

_KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
_STATE = {"a.weight": _KERNEL, "a.bias": np.ones(3, np.float16), "count": np.array(3), "none": _KERNEL[:0]}
_EDGES = [0, 1, 2, 127, 128, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1]


def seeds() -> dict:
    """One small valid file of every kind: {name: bytes}."""
    opts = Object(
        Name("argparse", "Namespace"),
        {
            "dir": Call(Name("pathlib", "PosixPath"), ("/", "a")),
            "device": Call(Name("torch", "device"), ("cuda", 0)),
        },
    )
    state = {"w": parameter(channels_last(_KERNEL)), "b": bfloat16(_KERNEL[0])}
    saved = {"state_dict": ordered_dict(state, {"": {"version": 1}}), "opts": opts, "avg": _KERNEL[0, 0]}
    network = whole(
        Layer(
            "torch.nn.modules.container.Sequential",
            {"w": _KERNEL},
            {"none": None},
            {"0": Layer("torch.nn.modules.linear.Linear", {"weight": _KERNEL[0, 0]})},
        )
    )
    nvidia = {"G_ema": nested({"mapping.w_avg": _KERNEL[0, 0, 0], "synthesis.b4.weight": _KERNEL})}
    script = {"conv1": {"weight": _KERNEL.astype(np.float16)}, "heads": np.array(8), "n": 5}
    paddle = {
        "w": _KERNEL,
        "b": Call(Name("builtins", "tuple"), (("auto_0_", _KERNEL[0]),)),
        "StructuredToParameterName@@": {"w": "linear_0.w_0"},
    }
    sliced = {
        "w@@.0": _KERNEL[:1],
        "w@@.1": _KERNEL[1:],
        "UnpackBigParamInfor@@": {"w": {"OriginShape": (2, 3, 2, 2), "slices": ["w@@.0", "w@@.1"]}},
    }
    part = {"4x4/Const/const": _KERNEL}
    static = [Call(Name("__builtin__", "eval"), ("data", {"data": _KERNEL}))]
    return {
        "zip": _written(save_torch_zip, saved),
        "zip4": _written(save_torch_zip, saved, protocol=4),
        "legacy": _written(save_torch_legacy, saved),
        "python2": _written(save_torch_legacy, saved, python2=True),
        "whole": _written(save_torch_zip, network),
        "whole-legacy": _written(save_torch_legacy, network),
        "torchscript": _written(save_torchscript, script),
        "nvidia": _written(save_nvidia, nvidia, training_set_kwargs=easy_dict({"a": 1})),
        "nvidia2": _written(save_nvidia, nvidia, protocol=2),
        "tensorflow": _written(save_nvidia_tensorflow, {"lod": np.float32(0)}, {"synthesis": part}),
        "paddle2": pickled(paddle, 2),
        "paddle4": pickled(paddle, 4),
        "sliced": pickle.dumps(sliced, 2),
        "static": pickled(static, 2),
        "numpy3": pickle.dumps([list(_KERNEL), list(_KERNEL)], 3),
        "numpy5": pickle.dumps({"a": _KERNEL, "b": np.float32(1), "c": _KERNEL.astype(">f8")}, 5),
        "npy": _npy(_KERNEL),
        "safetensors": _written(write_safetensors, _STATE, {"kind": "test"}),
    }


def _written(write, *arguments, **options) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "file"), *arguments, **options)
        return Path(folder, "file").read_bytes()


def _npy(array) -> bytes:
    memory = io.BytesIO()
    np.save(memory, array)
    return memory.getvalue()


def damaged(data: bytes, others: list, rng) -> bytes:
    """A copy of `data` with one to four damages of random kinds; `others` lend pieces."""
    for _ in range(min(4, int(rng.geometric(0.6)))):
        is_zip = data.startswith(b"PK") and rng.randint(2)  # most damages to the archive itself are alike
        damage = _edit_member if is_zip else _DAMAGES[rng.randint(len(_DAMAGES))]
        data = damage(data, others, rng) or b"\0"
    return data


def _flip_bits(data, others, rng):
    data = bytearray(data)
    for place in rng.randint(0, len(data), 1 + rng.randint(4)):
        data[place] ^= 1 << rng.randint(8)
    return bytes(data)


def _set_bytes(data, others, rng):
    data = bytearray(data)
    for place in rng.randint(0, len(data), 1 + rng.randint(4)):
        data[place] = rng.randint(256)
    return bytes(data)


def _cut_off(data, others, rng):
    return data[: rng.randint(len(data))]


def _cut_out(data, others, rng):
    start, length = rng.randint(len(data)), 1 + int(rng.geometric(0.1))
    return data[:start] + data[start + length :]


def _repeat(data, others, rng):
    start, length = rng.randint(len(data)), 1 + int(rng.geometric(0.05))
    return data[:start] + data[start : start + length] * (2 + rng.randint(3)) + data[start + length :]


def _splice(data, others, rng):
    other = others[rng.randint(len(others))]
    start, end = sorted(rng.randint(0, len(other) + 1, 2))
    place = rng.randint(len(data))
    kept = place + (end - start if rng.randint(2) else 0)
    return data[:place] + other[start:end] + data[kept:]


def _edit_length(data, others, rng):
    """Put a telling number where the file may keep a length, an offset or a count."""
    code = ["<H", "<I", "<Q", ">I", "B"][rng.randint(5)]
    size = struct.calcsize(code)
    number = _EDGES[rng.randint(len(_EDGES))] if rng.randint(3) else rng.randint(2 * len(data))
    place = rng.randint(max(1, len(data) - size))
    return data[:place] + struct.pack(code, number % 2 ** (8 * size)) + data[place + size :]


def _edit_digits(data, others, rng):
    """Change a decimal number, as headers of .npy and safetensors hold them."""
    places = [k for k in range(len(data)) if 48 <= data[k] < 58]
    if not places:
        return data
    place = places[rng.randint(len(places))]
    number = str(_EDGES[rng.randint(len(_EDGES))] * (-1 if rng.randint(4) == 0 else 1)).encode()
    return data[:place] + number + data[place + 1 :]


def _edit_opcodes(data, others, rng):
    """Replace, drop, double or swap whole opcodes of a pickle somewhere in the file."""
    found = _pickle_within(data, rng)
    if found is None:
        return data
    start, places = found
    pick = 1 + rng.randint(len(places) - 1)
    begin, end = places[pick - 1], places[pick]
    tool = rng.randint(5)
    if tool == 0:
        piece = bytes([pickletools.opcodes[rng.randint(len(pickletools.opcodes))].code.encode("latin1")[0]])
        return data[:begin] + piece + data[begin + 1 :]
    if tool == 1:
        return data[:begin] + data[end:]
    if tool == 2:
        return data[:end] + data[begin:end] * (1 + rng.randint(3)) + data[end:]
    if tool == 3:
        return data[:begin] + _PIECES[rng.randint(len(_PIECES))] + data[begin if rng.randint(2) else end :]
    other = 1 + rng.randint(len(places) - 1)
    return data[:begin] + data[places[other - 1] : places[other]] + data[end:]


def _edit_member(data, others, rng):
    """Damage one member of a zip archive and write the archive anew, whole in itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except Exception:  # not an archive, or no longer one
        return _edit_opcodes(data, others, rng)
    names = [name for name in members if name.endswith(".pkl")] if rng.randint(4) else list(members)
    name = names[rng.randint(len(names))] if names else None
    if name and members[name]:
        members[name] = _DAMAGES[rng.randint(len(_DAMAGES) - 1)](members[name], others, rng)
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return memory.getvalue()


def _pickle_within(data, rng):
    starts = [k for k in range(len(data) - 1) if data[k] == 0x80 and data[k + 1] in (2, 3, 4, 5)]
    if not starts:
        return None
    start, places = starts[rng.randint(len(starts))], []
    try:
        for _, _, place in pickletools.genops(data[start:]):
            places.append(start + place)
    except Exception:  # a damaged one: what could be read will do
        pass
    return (start, places) if len(places) > 1 else None


_PIECES = [
    b"N",
    b")",
    b"]",
    b"}",
    b"(",
    b"K\x01",
    b"J\xff\xff\xff\xff",
    b"h\x00",
    b"h\x01",
    b"h\x05",
    b"0",
    b"1",
    b"2",
    b"\x85",
    b"\x86",
    b"t",
    b"l",
    b"d",
    b"R",
    b"b",
    b"\x81",
    b"\x92",
    b"Q",
    b"e",
    b"u",
    b"a",
    b"s",
    b"\x88",
    b".",
    b"\x8a\x08" + b"\xff" * 7 + b"\x7f",
    b"\x8f(K\x01\x90",
    b"G\x7f\xf8" + bytes(6),
    b"C\x04abcd",
    b"\x8c\x01a",
    b"cos\nsystem\n",
    b"cnumpy\ndtype\n",
    b"ccollections\nOrderedDict\n",
    b"ctorch\nFloatStorage\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch.storage\n_load_from_bytes\n",
    b"cargparse\nNamespace\n)\x81",
    b"cdnnlib.util\nEasyDict\n)\x81",
]
_DAMAGES = [
    _flip_bits,
    _set_bytes,
    _cut_off,
    _cut_out,
    _repeat,
    _splice,
    _edit_length,
    _edit_digits,
    _edit_opcodes,
    _edit_opcodes,
    _edit_opcodes,
    _edit_member,
]


class TooSlow(BaseException):
    """An input took longer than it may."""


def read(path) -> str:
    """Read one file and say how it went: "read", or "refused". Anything but a UserError passes through."""
    value = None
    try:
        value, _ = load_arrays(path)
        for part in value.values() if isinstance(value, dict) else [value]:
            if isinstance(part, SavedModule):
                part.state()
        _touch(value)
        load_latent(path)
    except UserError as error:
        if "\n" in str(error) or str(path) not in str(error) and "a network of class" not in str(error):
            raise AssertionError(f"not one line with the file's name: {error}") from error
    return "refused" if value is None else "read"


def _touch(value, depth=0):
    """Read every number that is there: views must lie within the file."""
    if isinstance(value, np.ndarray):
        value.copy()
    elif isinstance(value, (dict, list, tuple)) and depth < 8:
        for item in value.values() if isinstance(value, dict) else value:
            _touch(item, depth + 1)
    elif isinstance(value, SavedModule):
        _touch({**value.parameters, **value.buffers})


class Coverage:
    """Sees which lines of the readers follow each other; `new()` says whether any pair was seen first."""

    def __init__(self):
        self.seen, self.known = set(), 0

    def __enter__(self):
        self.last, self.before = None, sys.gettrace()
        sys.settrace(self._call)

    def __exit__(self, *_):
        sys.settrace(self.before)

    def _call(self, frame, event, _):
        return self._line if frame.f_code.co_filename in _TRACED else None

    def _line(self, frame, event, _):
        here = (frame.f_code.co_filename, frame.f_lineno)
        self.seen.add((self.last, here))
        self.last = here
        return self._line

    def new(self) -> bool:
        before, self.known = self.known, len(self.seen)
        return self.known > before


_TRACED = {str(path) for path in Path(formats.__file__).parent.glob("*.py")} | {files.__file__}


def fuzz(count, *, seed, kinds=(), folder, seconds, found=None) -> tuple:
    """Read damaged files, one after the other.

    Args:
        count: how many.
        kinds: names out of seeds(); empty for all.
        folder: where to write each.
        seconds: that one may take.
        found: a folder for those that go wrong.
    Returns:
        (Counter of how they went, [a report on each that went wrong], how many ways were found).
    """
    corpus = {kind: [data] for kind, data in seeds().items() if not kinds or kind in kinds}
    others, coverage = [data for (data,) in corpus.values()], Coverage()
    went, wrong = Counter(), []
    signal.signal(signal.SIGALRM, _too_slow)
    for number in range(count):
        kind = list(corpus)[number % len(corpus)]
        rng = np.random.RandomState([seed, number])
        parent = rng.randint(len(corpus[kind])) if rng.randint(2) else 0
        data = damaged(corpus[kind][parent], others, rng)
        path = Path(folder, "input")
        path.write_bytes(data)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            with coverage:
                went[read(path)] += 1
        except (Exception, TooSlow):  # each is a finding
            wrong.append(f"number {number} ({kind}): {traceback.format_exc()}")
            if found:
                Path(found).mkdir(parents=True, exist_ok=True)
                Path(found, f"{seed}-{number}-{kind}").write_bytes(data)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if coverage.new():
            corpus[kind].append(data)
    return went, wrong, len(coverage.seen)


def _too_slow(*_):
    raise TooSlow


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", type=int, help="how many inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=[], help=", ".join(seeds()))
    parser.add_argument("--found", help="a folder for the files that go wrong")
    parser.add_argument("--seconds", type=float, default=10, help="for one input")
    parser.add_argument("--memory", type=int, default=512, help="MiB that reading may add to the process")
    args = parser.parse_args(argv)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + args.memory * 2**20,) * 2)
    began = time.time()
    with tempfile.TemporaryDirectory() as folder:
        went, wrong, ways = fuzz(
            args.count,
            seed=args.seed,
            kinds=args.kinds,
            folder=folder,
            seconds=args.seconds,
            found=args.found,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        *wrong,
        f"{args.count:,} inputs in {time.time() - began:.0f} s: {went['read']:,} read, "
        f"{went['refused']:,} refused, {len(wrong)} wrong; {ways:,} ways; peak memory {peak} MiB",
        sep="\n",
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
