# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Build the notebooks of both languages from source/*.md, and run them.

A source is Markdown: text behind a line `<!-- en -->` or `<!-- zh -->` is a text cell of that notebook, a
block of python is a code cell of both, and `<!-- setup: EXTRAS -->` is the code of source/setup.py. Code runs
once, in English; both notebooks keep what it showed.

    python notebooks/build.py                     write the notebooks; what unchanged cells showed stays
    python notebooks/build.py --execute           run all of them first, each in a folder of its own
    python notebooks/build.py --execute 01 05     or some
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FOLDERS = {"en": "en_US", "zh": "zh_CN"}
MAIN = "01_first_edit"  # is main.ipynb, too, which AI Studio opens
TIMEOUT = 1200  # seconds of a cell
QUALITY = 82  # of the JPEGs that are kept
_MARK = re.compile(r"<!-- (en|zh|setup(?::\s*(\S+))?) -->")
_PROGRESS = re.compile(r"\r|\d+%\|")  # of tqdm


def parse(text: str, setup: str = "") -> list[tuple[str, str]]:
    """Split a source into cells: (kind, text), with the kinds "en", "zh" and "code".

    Raises:
        ValueError: text that has no language, or one without the other.
    """
    cells: list[tuple[str, str]] = []
    kind, lines = "", []

    def close() -> None:
        content = "\n".join(lines).strip("\n")
        if content and not kind:
            raise ValueError(f"text without a language: {content[:60]}")
        if content:
            cells.append((kind, content))
        lines.clear()

    for line in text.splitlines():
        mark = _MARK.fullmatch(line.strip()) if kind != "code" else None
        if mark is not None and mark.group(1).startswith("setup"):
            close()
            cells.append(("code", setup.replace("@EXTRAS@", mark.group(2) or "").strip("\n")))
            kind = ""
        elif mark is not None:
            close()
            kind = mark.group(1)
        elif line == "```python" and kind != "code":
            close()
            kind = "code"
        elif line == "```" and kind == "code":
            close()
            kind = ""
        else:
            lines.append(line)
    close()
    order = "".join({"en": "e", "zh": "z", "code": "c"}[kind] for kind, _ in cells)
    if re.sub("ez", "", order).strip("c"):
        raise ValueError(f"each English text is followed by its Chinese one; the order is {order}")
    return cells


def notebook(cells: list[tuple[str, str]], language: str, outputs: dict[str, list]) -> dict[str, Any]:
    """A notebook in one language; `outputs` has what each code cell showed, by its code."""
    made = []
    for number, (kind, text) in enumerate(cells):
        if kind not in (language, "code"):
            continue
        cell: dict[str, Any] = {
            "cell_type": "code" if kind == "code" else "markdown",
            "id": f"cell-{number:02d}",
        }
        cell["metadata"] = {}
        cell["source"] = text.splitlines(keepends=True)
        if kind == "code":
            cell.update(execution_count=None, outputs=outputs.get(text, []))
        made.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def known_outputs(path: Path) -> dict[str, list]:
    """What the code cells of a notebook showed, by their code."""
    if not path.is_file():
        return {}
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return {"".join(cell["source"]): cell["outputs"] for cell in cells if cell["cell_type"] == "code"}


def execute(cells: list[tuple[str, str]], folder: str) -> dict[str, list]:
    """Run the code of a notebook in a folder; returns what each cell showed.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
        ImportError: nbclient is not installed.
    """
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.reads(json.dumps(notebook(cells, "en", {})), as_version=4)
    client = NotebookClient(
        made, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute()
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    return {cell.source: [_kept(one, folder) for one in cell.outputs if _is_kept(one)] for cell in code}


def _is_kept(output: Any) -> bool:
    return output.output_type != "stream" or output.name == "stdout" and bool(output.text.strip())


def _kept(output: Any, folder: str) -> dict[str, Any]:
    """An output without what differs from run to run and from machine to machine."""
    plain = json.loads(json.dumps(output).replace(str(Path(folder).resolve()), ".").replace(folder, "."))
    if plain["output_type"] == "stream":
        lines = [line for line in plain["text"].splitlines() if not _PROGRESS.search(line)]
        plain["text"] = [f"{line}\n" for line in lines]
    if "execution_count" in plain:
        plain["execution_count"] = None
    data = plain.get("data", {})
    if "image/jpeg" in data:
        data["image/jpeg"] = _smaller(data["image/jpeg"])
        data.pop("text/plain", None)
    return plain


def _smaller(picture: str) -> str:
    """A JPEG in base64, in QUALITY."""
    import cv2
    import numpy as np

    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(picture), np.uint8), cv2.IMREAD_COLOR)
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return base64.b64encode(data.tobytes()).decode()


def build(name: str, *, run: bool = False) -> dict[str, str]:
    """The notebooks of one source: `{path in this folder: content}`."""
    source = HERE / "source"
    setup = (source / "setup.py").read_text("utf-8").split("# ---- code\n", 1)[1]
    cells = parse((source / f"{name}.md").read_text("utf-8"), setup)
    if run:
        begin, before = time.monotonic(), os.times()
        with tempfile.TemporaryDirectory() as folder:
            outputs = execute(cells, folder)
        seconds, after = time.monotonic() - begin, os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        print(f"{name}: {seconds:.0f} s, {used:.0f} s of processors", flush=True)
    else:
        outputs = known_outputs(HERE / FOLDERS["en"] / f"{name}.ipynb")
    made = {}
    for language, folder in FOLDERS.items():
        text = json.dumps(notebook(cells, language, outputs), ensure_ascii=False, indent=1) + "\n"
        made[f"{folder}/{name}.ipynb"] = text
        if (language, name) == ("zh", MAIN):
            made["main.ipynb"] = text
    return made


def names() -> list[str]:
    """Names of the sources."""
    return sorted(path.stem for path in (HERE / "source").glob("*.md"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--execute", nargs="*", metavar="NUMBER", help="run these first (default: all)")
    args = parser.parse_args()
    for name in names():
        is_run = args.execute is not None and (not args.execute or name[:2] in args.execute)
        for path, text in build(name, run=is_run).items():
            (HERE / path).parent.mkdir(exist_ok=True)
            (HERE / path).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
