# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What may happen to a compiled program on the disk: functions of its folder and of another program's."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

HTML = b"<!DOCTYPE html><html><body>Sign in to go on</body></html>\n" * 40
MODEL, WEIGHTS, MANIFEST = "program.pdmodel", "program.pdiparams", "manifest.json"


def flip(path: Path, where=0.5):
    """Turn one bit over; size and time of change stay."""
    data, status = bytearray(path.read_bytes()), path.stat()
    data[int(len(data) * where)] ^= 4
    with open(path, "r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def lose_block(path: Path):
    data = bytearray(path.read_bytes())
    start, end = len(data) // 3, len(data) // 3 + 1024
    data[start:end] = bytes(end - start)
    path.write_bytes(data)


def cut(path: Path, count=None):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 if count is None else len(data) - count])


def append(path: Path):
    path.write_bytes(path.read_bytes() + b"\0\0\0\0")


def turn_into_folder(path: Path):
    path.unlink()
    path.mkdir()
    (path / "file").write_bytes(b"")


def turn_into_pipe(path: Path):
    path.unlink()
    os.mkfifo(path)


def turn_into_loop(path: Path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(path)


def manifest_with(**changed):
    """A damage: some fields of the manifest have other values."""

    def damage(place: Path, other: Path):
        content = json.loads((place / MANIFEST).read_text())
        (place / MANIFEST).write_text(json.dumps({**content, **changed}))

    return damage


def sign(place: Path):
    """Make the manifest fit whatever is there, as somebody would who can write in the folder."""
    content = json.loads((place / MANIFEST).read_text())
    for name in (MODEL, WEIGHTS):
        data, status = (place / name).read_bytes(), (place / name).stat()
        fields = {"size": len(data), "mtime": status.st_mtime_ns, "sha256": hashlib.sha256(data).hexdigest()}
        content["files"][name] = fields
    (place / MANIFEST).write_text(json.dumps(content))


def add_operator(place: Path, kind: str, **attributes: str):
    """Append an operator that reads the result to a program, with a manifest that fits."""
    from paddle.base.proto import framework_pb2

    program = framework_pb2.ProgramDesc.FromString((place / MODEL).read_bytes())
    operators = program.blocks[0].ops
    [result] = [op for op in operators if op.type == "fetch"][0].inputs
    crafted = framework_pb2.OpDesc(type=kind)
    crafted.inputs.add(parameter="X", arguments=result.arguments)
    for name, text in attributes.items():
        crafted.attrs.add(name=name, type=framework_pb2.STRING, s=text)
    last = operators.pop()
    operators.extend([crafted, last])
    (place / MODEL).write_bytes(program.SerializeToString())
    sign(place)


def _on(name, function, *args):
    return lambda place, other: function(place / name, *args)


def _from_other(*names):
    def damage(place, other):
        for name in names:
            shutil.copy(other / name, place / name)

    return damage


def _file_in_place(place, other):
    shutil.rmtree(place)
    place.write_bytes(b"not a folder")


def _empty(place, other):
    shutil.rmtree(place)
    place.mkdir()


def _dangling(place, other):
    shutil.rmtree(place)
    place.symlink_to(place.parent / "nowhere")


def _link_to_other(place, other):
    shutil.rmtree(place)
    place.symlink_to(other)


def _open_to_all(name):
    return lambda place, other: (place / name).chmod(0o777)


DAMAGES = {
    "program: cut by four bytes": _on(MODEL, cut, 4),
    "program: cut in half": _on(MODEL, cut),
    "program: empty": _on(MODEL, Path.write_bytes, b""),
    "program: one bit flipped": _on(MODEL, flip),
    "program: a lost block": _on(MODEL, lose_block),
    "program: bytes appended": _on(MODEL, append),
    "program: a page of HTML": _on(MODEL, Path.write_bytes, HTML),
    "program: gone": _on(MODEL, Path.unlink),
    "program: a folder": _on(MODEL, turn_into_folder),
    "program: a pipe": _on(MODEL, turn_into_pipe),
    "program: a loop of links": _on(MODEL, turn_into_loop),
    "program: a second one in PIR": _on("program.json", Path.write_bytes, b"{}"),
    "parameters: cut by four bytes": _on(WEIGHTS, cut, 4),
    "parameters: cut in half": _on(WEIGHTS, cut),
    "parameters: empty": _on(WEIGHTS, Path.write_bytes, b""),
    "parameters: one bit flipped": _on(WEIGHTS, flip),
    "parameters: last bit flipped": _on(WEIGHTS, flip, 0.9999),
    "parameters: a lost block": _on(WEIGHTS, lose_block),
    "parameters: bytes appended": _on(WEIGHTS, append),
    "parameters: a page of HTML": _on(WEIGHTS, Path.write_bytes, HTML),
    "parameters: gone": _on(WEIGHTS, Path.unlink),
    "parameters: a folder": _on(WEIGHTS, turn_into_folder),
    "parameters: another generator's": _from_other(WEIGHTS),
    "manifest: gone": _on(MANIFEST, Path.unlink),
    "manifest: empty": _on(MANIFEST, Path.write_bytes, b""),
    "manifest: cut in half": _on(MANIFEST, cut),
    "manifest: not text": _on(MANIFEST, Path.write_bytes, bytes(range(256))),
    "manifest: a list": _on(MANIFEST, Path.write_bytes, b"[1, 2]"),
    "manifest: nested deeply": _on(MANIFEST, Path.write_bytes, b"[" * 8000),
    "manifest: endless": _on(MANIFEST, Path.write_bytes, b" " * (1 << 20)),
    "manifest: a folder": _on(MANIFEST, turn_into_folder),
    "manifest: a pipe": _on(MANIFEST, turn_into_pipe),
    "manifest: files are a list": manifest_with(files=[MODEL, WEIGHTS]),
    "manifest: a file is a number": manifest_with(files={MODEL: 3}),
    "manifest: a size is text": manifest_with(files={MODEL: {"size": "3", "mtime": 0, "sha256": ""}}),
    "manifest: a digest is null": manifest_with(files={MODEL: {"size": 3, "mtime": 0, "sha256": None}}),
    "manifest: a file elsewhere": manifest_with(files={"../x": {"size": 3, "mtime": 0, "sha256": ""}}),
    "manifest: no files": manifest_with(files={}),
    "manifest: key is a list": manifest_with(key=["key"]),
    "manifest: another key": manifest_with(key="0" * 64),
    "manifest: another format": manifest_with(format=2),
    "manifest: a format of another type": manifest_with(format="1"),
    "manifest: another Paddle": manifest_with(paddle="0.0.1"),
    "all of another generator, with its manifest": _from_other(MODEL, WEIGHTS, MANIFEST),
    "a file in place of the folder": _file_in_place,
    "an empty folder": _empty,
    "a link that leads nowhere": _dangling,
    "a loop of links": lambda place, other: turn_into_loop(place),
    "a link to another program": _link_to_other,
}
if os.name == "posix":
    DAMAGES |= {
        "the folder can be written by others": _open_to_all("."),
        "the program can be written by others": _open_to_all(MODEL),
        "the parameters can be written by others": _open_to_all(WEIGHTS),
        "the manifest can be written by others": _open_to_all(MANIFEST),
    }
