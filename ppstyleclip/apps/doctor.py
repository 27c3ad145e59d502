# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What is installed here, what is missing, and the command that brings it.

Nothing but the standard library is needed to say so: each part is imported when it is looked at, and one that
cannot be is one line.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from pathlib import Path

from ppstyleclip import __version__
from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.errors import UserError
from ppstyleclip.threads import count_cores, import_paddle, thread_count

CANNOT_EDIT = 1
PACKAGES = {
    "cv2": "opencv-python-headless",
    "yaml": "pyyaml",
    "paddle": "paddlepaddle",
    "clip": "paddleclip",
    "dlib": "dlib-bin",
}  # modules whose package has another name


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        part: what.
        state: "ok", "missing" (or broken), or "note".
        says: one line on it.
        cure: the command that mends it, or nothing.
        needed: the main job, editing the embedded face, cannot run without it.
    """

    part: str
    state: str
    says: str
    cure: str = ""
    needed: bool = False


def run_doctor(argv=None) -> int:
    """Parse, look at everything, print.

    Returns:
        0 where the main job can run, 1 where it cannot.
    Raises:
        UserError: --fetch names no published file, or one that cannot be fetched.
    """
    args = _parse(argv)
    if args.fetch:
        return _fetch(args.fetch)
    findings = examine()
    files, failure = list_files()
    ready = all(finding.state != "missing" for finding in findings if finding.needed)
    findings += failure
    if args.json:
        print(
            json.dumps(
                {"can_edit": ready, "findings": [asdict(finding) for finding in findings], "files": files},
                indent=1,
            )
        )
    else:
        _print(findings, files, ready)
    return 0 if ready else CANNOT_EDIT


def _parse(argv):
    parser = argparse.ArgumentParser(
        description="Look at what is installed, and say what is missing and the command that brings it.",
        epilog="Exit code: 0 if the main job, editing the embedded face, can run; 1 if it cannot; "
        "2 for bad input or a failed download.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument(
        "--fetch",
        nargs="+",
        metavar="NAME",
        help="only download published files of these names, as listed without --fetch",
    )
    return parser.parse_args(argv)


def _fetch(names) -> int:
    from ppstyleclip.zoo import fetch_published

    for name in names:
        print(fetch_published(name))
    return 0


def examine() -> list:
    """Look at everything but the published files; a list of Findings."""
    paddle = _look("Paddle", _paddle, needed=True)
    has_paddle = paddle.state == "ok"
    findings = [
        _look("Python", _python, needed=True),
        Finding("ppstyleclip", "ok", f"{__version__} in {Path(__file__).parents[1]}"),
        paddle,
        _look("CLIP", lambda: _clip(has_paddle), needed=True),
        _look("OpenCV", _opencv, needed=True),
        *(
            _look(part, lambda module=module: _version(module), needed=True)
            for part, module in (
                ("NumPy", "numpy"),
                ("safetensors", "safetensors"),
                ("PyYAML", "yaml"),
                ("tqdm", "tqdm"),
            )
        ),
        _look("embedded face", _pack, needed=True),
        _look("dlib (faces in photographs)", lambda: _version("dlib")),
        _look("pytest (tests)", lambda: _version("pytest")),
        *_settings(),
    ]
    if all(finding.state == "ok" for finding in findings if finding.needed):
        findings.append(_look("editing", _edit, needed=True))
    return findings


def _look(part, look, *, needed=False) -> Finding:
    """A Finding from what `look` returns or raises."""
    try:
        return Finding(part, "ok", look(), "", needed)
    except Exception as error:  # whatever is wrong with a part, the others are still to be looked at
        says, cure = _diagnose(error)
        state = "missing" if needed or isinstance(error, ImportError) else "note"
        return Finding(part, state, says, cure, needed)


def _diagnose(error) -> tuple:
    text = " ".join(str(error).split()) or type(error).__name__
    says, _, cure = re.sub("; do: ", "; run: ", text, count=1).partition("; run: ")
    if not cure and "libgomp" in text:
        cure = "sudo apt install libgomp1"
    if not cure and isinstance(error, ModuleNotFoundError) and error.name:
        module = error.name.partition(".")[0]
        cure = f"pip install {PACKAGES.get(module, module)}"
    if not isinstance(error, (UserError, ImportError)):
        says = f"{type(error).__name__}: {says}"
    return says, cure


def _python() -> str:
    if not (3, 9) <= sys.version_info[:2] <= (3, 13):
        raise UserError(f"{platform.python_version()}; ppstyleclip needs 3.9 to 3.13")
    return f"{platform.python_version()}, {platform.system()} {platform.machine()}, {sys.executable}"


def _paddle() -> str:
    paddle = import_paddle()
    core = paddle.base.core
    has_onednn = getattr(core, "is_compiled_with_onednn", core.is_compiled_with_mkldnn)()
    device = paddle.get_device()
    return (
        f"{paddle.__version__}, device {device}, {'with' if has_onednn else 'without'} oneDNN, "
        f"{thread_count()} threads on {count_cores()} cores "
        "(OMP_NUM_THREADS=N before a command sets another number)"
    )


def _clip(has_paddle: bool) -> str:
    from ppstyleclip.models.clip_tokens import find_paddleclip, import_paddleclip

    path = find_paddleclip()
    if has_paddle:
        import_paddleclip()
    return f"paddleclip {_installed('paddleclip')} ({path.parent})"


def _opencv() -> str:
    from ppstyleclip.files import import_cv2

    return import_cv2().__version__


def _version(module: str) -> str:
    found = import_module(module)
    return str(getattr(found, "__version__", "")) or _installed(PACKAGES.get(module, module))


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of unknown version"


def _pack() -> str:
    from ppstyleclip.files import check_file
    from ppstyleclip.zoo.catalogue import PACK

    names = ("generator", "clip", "statistics", "relevance")
    parts = [check_file(PACK / f"{name}.safetensors") for name in names]
    return f"{_size(sum(part.stat().st_size for part in parts))} in {PACK}"


def _edit() -> str:
    from ppstyleclip.editor import Edit, Editor

    begin = time.monotonic()
    editor = Editor.from_pretrained()
    before, after = editor.edit(editor.sample(seed=DEFAULT_SEED), Edit("face", "happy face"))
    if (before == after).all():
        raise UserError("an edit of the embedded face changed nothing")
    return f"the embedded face was edited, models loaded, in {time.monotonic() - begin:.1f} s"


def _settings() -> list:
    """Findings on caches and on what the environment says about them."""
    findings = [_look("cache", _cache), _look("other caches", _other_caches)]
    for name in ("PPSTYLECLIP_OFFLINE", "PPSTYLECLIP_MIRROR"):
        if os.environ.get(name):
            findings.append(Finding(name, "note", os.environ[name]))
    return findings


def _cache() -> str:
    from ppstyleclip.files import cache_home, check_writable

    home = check_writable(cache_home())
    return (
        f"{home}, {_size(_weight(home))}, of it {_size(_weight(home / 'engine'))} compiled programs "
        "(PPSTYLECLIP_HOME puts it elsewhere)"
    )


def _other_caches() -> str:
    from ppstyleclip.zoo.download import cache_folders

    folders = [folder for folder in cache_folders()[1:] if folder.is_dir()]
    return ", ".join(f"{folder}, {_size(_weight(folder))}" for folder in folders) or "none"


def _weight(folder: Path) -> int:
    """Bytes of the files in a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total


def _size(count: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} bytes"


def list_files() -> tuple:
    """Every published file, and whether it is here.

    Returns:
        (a list of dicts as _file makes them, [] or a list of the Finding that says why it is empty).
    """
    try:
        from ppstyleclip.zoo.catalogue import read_catalogue
        from ppstyleclip.zoo.pins import read_pins

        table, pins = read_catalogue(), read_pins()
        return [_file(name, entry, table["licences"], pins) for name, entry in table["files"].items()], []
    except Exception as error:
        says, cure = _diagnose(error)
        return [], [Finding("published files", "missing", f"cannot be listed: {says}", cure)]


def _file(name, entry, licences, pins) -> dict:
    from ppstyleclip.zoo.download import find
    from ppstyleclip.zoo.pins import is_verified

    path = find(name)
    by_program = entry["url"] or os.environ.get("PPSTYLECLIP_MIRROR")
    return {
        "name": name,
        "state": "absent" if path is None else "present",
        "path": str(path or ""),
        "verified": path is not None and is_verified(path),
        "pinned": name in pins,
        "for": entry["for"],
        "what": entry["what"],
        "size": entry["size"],
        "licence": entry["licence"],
        "licence_text": licences[entry["licence"]],
        "sha256": entry["sha256"] or pins.get(name, ""),
        "cure": ""
        if path
        else f"python tools/doctor.py --fetch {name}"
        if by_program
        else f"by hand from {entry['page']}",
    }


def _print(findings, files, ready):
    if files:
        _print_files(files)
    for finding in findings:  # last, so that the end of it is on the screen
        print(f"{finding.state:8} {finding.part}: {finding.says}")
        if finding.cure:
            print(f"{'':8} -> {finding.cure}")
    missing = [finding.part for finding in findings if finding.state == "missing" and finding.needed]
    print(f"\n{'ready: the embedded face can be edited' if ready else 'not ready: ' + ', '.join(missing)}")


def _print_files(files):
    for use in dict.fromkeys(file["for"] for file in files):
        print(f"published files for {use}")
        for file in (file for file in files if file["for"] == use):
            marks = [word for word in ("pinned", "verified") if file[word]]
            print(
                "  "
                + ", ".join(
                    [f"{file['state']:8} {file['name']}", file["size"], *marks, f"licence {file['licence']}"]
                )
            )
        print()
    print("licences")
    for licence, text in dict.fromkeys((file["licence"], file["licence_text"]) for file in files):
        print(f"  {licence}: {text}")
    by_hand = {file["name"]: file["cure"] for file in files if file["cure"].startswith("by hand")}
    print("\nan absent file comes with: python tools/doctor.py --fetch NAME")
    for name, cure in by_hand.items():
        print(f"  {name}: {cure}")
    print()
