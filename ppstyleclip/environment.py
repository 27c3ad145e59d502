# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What is installed here, what is missing, and the command that brings it.

Nothing but the standard library is needed to say so: each part is imported when it is looked at, and one that
cannot be is one line.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

from ppstyleclip import __version__
from ppstyleclip.errors import UserError
from ppstyleclip.threads import count_cores, import_paddle, thread_count

PACKAGES = {
    "cv2": "opencv-python-headless",
    "yaml": "pyyaml",
    "paddle": "paddlepaddle",
    "clip": "paddleclip",
    "dlib": "dlib-bin",
}  # modules whose package has another name


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        part: what.
        state: "ok", "missing" (or broken), or "note".
        description: one line on it.
        fix: the command that mends it, or nothing.
        needed: the main job, editing the embedded face, cannot run without it.
    """

    part: str
    state: str
    description: str
    fix: str = ""
    needed: bool = False


def examine(seed: int) -> list[Check]:
    """Look at everything but the published files.

    Args:
        seed: of the embedded face that is edited, where all that this needs is there.
    """
    paddle = _look("Paddle", _paddle, needed=True)
    has_paddle = paddle.state == "ok"
    checks = [
        _look("Python", _python, needed=True),
        Check("ppstyleclip", "ok", f"{__version__} in {Path(__file__).parent}"),
        paddle,
        *_two_paddles(),
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
        _look("dlib (faces in photographs)", _dlib),
        _look("pytest (tests)", lambda: _version("pytest")),
        *_settings(),
    ]
    if all(check.state == "ok" for check in checks if check.needed):
        checks.append(_look("editing", lambda: _edit(seed), needed=True))
    return checks


def _look(part, look, *, needed=False) -> Check:
    """A Check from what `look` returns or raises."""
    try:
        return Check(part, "ok", look(), "", needed)
    except Exception as error:  # whatever is wrong with a part, the others are still to be looked at
        description, fix = _diagnose(error)
        state = "missing" if needed or isinstance(error, ImportError) else "note"
        return Check(part, state, description, fix, needed)


def _diagnose(error) -> tuple:
    text = " ".join(str(error).split()) or type(error).__name__
    description, _, fix = re.sub("; do: ", "; run: ", text, count=1).partition("; run: ")
    if not fix and "libgomp" in text:
        fix = "sudo apt install libgomp1"
    if not fix and isinstance(error, ModuleNotFoundError) and error.name:
        module = error.name.partition(".")[0]
        fix = f"pip install {PACKAGES.get(module, module)}"
    if not isinstance(error, (UserError, ImportError)):
        description = f"{type(error).__name__}: {description}"
    return description, fix


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


def _two_paddles() -> list[Check]:
    """What is wrong where both builds of Paddle are installed: in one folder, where one broke the other."""
    versions = {}
    for name in ("paddlepaddle", "paddlepaddle-gpu"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            return []
    both = " and ".join(f"{name} {version}" for name, version in versions.items())
    fix = (
        "pip uninstall -y paddlepaddle paddlepaddle-gpu, then install one of them "
        f"(pip install paddlepaddle-gpu=={versions['paddlepaddle-gpu']}, or pip install paddlepaddle)"
    )
    clash = f"{both} are both installed, in one folder; what is imported is a mixture of the two"
    return [Check("Paddle, two builds", "missing", clash, fix)]


def _clip(has_paddle: bool) -> str:
    from ppstyleclip.models.clip_tokens import find_paddleclip, import_paddleclip

    path = find_paddleclip()
    if has_paddle:
        import_paddleclip()
    return f"paddleclip {_installed('paddleclip')} ({path.parent})"


def _opencv() -> str:
    from ppstyleclip.files import import_cv2

    return import_cv2().__version__


def _dlib() -> str:
    version = _version("dlib")  # that it is missing is said even where NumPy is missing too
    from ppstyleclip.align.dlib_models import import_dlib

    import_dlib()
    return version


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
    from ppstyleclip.zoo.registry import PACK

    names = ("generator", "clip", "statistics", "relevance")
    parts = [check_file(PACK / f"{name}.safetensors") for name in names]
    return f"{format_size(sum(part.stat().st_size for part in parts))} in {PACK}"


def _edit(seed: int) -> str:
    from ppstyleclip.editor import Edit, Editor

    begin = time.monotonic()
    editor = Editor.from_pretrained()
    before, after = editor.edit(editor.sample(seed=seed), Edit("face", "happy face"))
    if (before == after).all():
        raise UserError("an edit of the embedded face changed nothing")
    return f"the embedded face was edited, models loaded, in {time.monotonic() - begin:.1f} s"


def _settings() -> list:
    """Checks on caches and on what the environment says about them."""
    checks = [_look("cache", _cache), _look("other caches", _other_caches)]
    for name in ("PPSTYLECLIP_OFFLINE", "PPSTYLECLIP_MIRROR", "PPSTYLECLIP_PATH"):
        if os.environ.get(name):
            checks.append(Check(name, "note", os.environ[name]))
    return checks


def _cache() -> str:
    from ppstyleclip.files import cache_home, check_writable

    home = check_writable(cache_home())
    whole, compiled = (format_size(_weight(folder)) for folder in (home, home / "engine"))
    return f"{home}, {whole}, of it {compiled} compiled programs (PPSTYLECLIP_HOME puts it elsewhere)"


def _other_caches() -> str:
    from ppstyleclip.zoo.downloads.cache import cache_folders

    folders = [folder for folder in cache_folders()[1:] if folder.is_dir()]
    return ", ".join(f"{folder}, {format_size(_weight(folder))}" for folder in folders) or "none"


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


def format_size(count: int) -> str:
    """Bytes in words, three digits."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} bytes"


def list_files() -> tuple:
    """Every published file, and whether it is here.

    Returns:
        (a list of dicts as _file makes them, [] or a list of the Check that says why it is empty).
    """
    try:
        from ppstyleclip.zoo.downloads.checksums import read_checksums
        from ppstyleclip.zoo.registry import read_registry

        table, checksums = read_registry(), read_checksums()
        return [
            _file(name, entry, table["licences"], checksums) for name, entry in table["files"].items()
        ], []
    except Exception as error:
        description, fix = _diagnose(error)
        return [], [Check("published files", "missing", f"cannot be listed: {description}", fix)]


def _file(name, entry, licences, checksums) -> dict:
    from ppstyleclip.zoo.downloads.cache import find
    from ppstyleclip.zoo.downloads.checksums import is_verified

    path = find(name)
    by_program = entry["url"] or os.environ.get("PPSTYLECLIP_MIRROR")
    return {
        "name": name,
        "state": "absent" if path is None else "present",
        "path": str(path or ""),
        "verified": path is not None and is_verified(path),
        "pinned": name in checksums,
        "for": entry["for"],
        "what": entry["what"],
        "size": entry["size"],
        "licence": entry["licence"],
        "licence_text": licences[entry["licence"]],
        "sha256": entry["sha256"] or checksums.get(name, ""),
        "fix": ""
        if path
        else f"ppstyleclip doctor --fetch {name}"
        if by_program
        else f"by hand from {entry['page']}",
    }
