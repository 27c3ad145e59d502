# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the documents promise is there: links, commands, flags, the README's lines of Python."""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import os
import re
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ppstyleclip.cli.main import ALIASES, COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]
PACK = ROOT / "ppstyleclip" / "worlds" / "portrait" / "pack"
HEADER = "# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE."
TOPS = ("ppstyleclip", "tools", "applications", "benchmarks", "tests", "configs", "docs", ".ci")
DOCUMENTS = sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMED = re.compile(r"`((?:" + "|".join(TOPS) + r")/[\w./-]+\.(?:py|yaml|safetensors))`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What a document calls: python [-u] path/to/file.py, or -m module, and the rest of that (continued) line.
CALL = re.compile(r"python3? (?:-u )?(-m ppstyleclip[\w.]*|[\w./]+\.py)([^\n&|]*)")
# Or the console command, at the start of a line.
CONSOLE = re.compile(r"^ppstyleclip ([a-z][\w-]*)([^\n&|#]*)", re.MULTILINE)


def _text(relative: str) -> str:
    return (ROOT / relative).read_text(encoding="utf-8")


def _files(pattern: str) -> list[str]:
    found = [p for top in TOPS for p in (ROOT / top).rglob(pattern) if p.is_file()]
    found = [p for p in found if p.resolve() == p and "__pycache__" not in p.parts]
    return sorted(p.relative_to(ROOT).as_posix() for p in found)


def _marked_block(document: str, mark: str) -> str:
    """Text of the fenced block that follows an HTML comment such as `<!-- command: test -->`."""
    rest = _text(document).partition(f"<!-- {mark} -->\n")[2]
    match = FENCE.match(rest)
    return match.group(2).strip() if match else ""


def _calls() -> list[tuple[str, str, str]]:
    """List (document, script, arguments) of every Python call in every fenced block."""
    found = []
    for document in DOCUMENTS:
        for _, block in FENCE.findall(_text(document)):
            for script, arguments in CALL.findall(block.replace("\\\n", " ")):
                found.append((document, _script_of(script), arguments))
    return found


def _script_of(called: str) -> str:
    return called[3:].replace(".", "/") + ".py" if called.startswith("-m ") else called


def _place(block_script: str) -> Path:
    """Find a script as the reader would, from the root, applications/ or its mapper/, where seed 000's are.

    A package's script is its __main__.
    """
    here = ROOT / block_script
    if (here.with_suffix("") / "__main__.py").exists():
        return here.with_suffix("") / "__main__.py"
    folders = (ROOT, ROOT / "applications", ROOT / "applications" / "mapper")
    return next((folder / block_script for folder in folders if (folder / block_script).exists()), here)


@dataclass(frozen=True)
class Said:
    """What a command left: its exit code and its words."""

    code: int
    out: str
    err: str


def _called(work: Callable[[], object]) -> Said:
    """Do what asks for help, in this process."""
    out, err, code = io.StringIO(), io.StringIO(), None
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("COLUMNS", "200")
        patch.chdir(ROOT)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = work()
            except SystemExit as end:
                code = end.code
    return Said(code if isinstance(code, int) else 0 if code is None else 1, out.getvalue(), err.getvalue())


def _help(script: str) -> Said:
    """The help of a script; that it answers as a process of its own too is a slow test."""
    place, before = _place(script), set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(place), "--help"])
        patch.setattr(sys, "path", [str(place.parent), *sys.path])
        said = _called(lambda: runpy.run_path(str(place), run_name="__main__") and None)
    for name in set(sys.modules) - before:  # the script's neighbours, which no other test would find
        if Path(getattr(sys.modules[name], "__file__", None) or ROOT).parent == place.parent:
            del sys.modules[name]
    return said


def _help_of_process(script: str) -> Said:
    done = subprocess.run(
        [sys.executable, str(_place(script)), "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200", "PPSTYLECLIP_OFFLINE": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


SCRIPTS = [s for s in _files("*.py") if s.split("/")[0] in ("tools", "benchmarks") and "__main__" in _text(s)]
CALLS = _calls()
DOCUMENTED = sorted({script for _, script, _ in CALLS})


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted({*SCRIPTS, *DOCUMENTED}))
def test_every_command_answers_help(script):
    said = _help_of_process(script)
    assert said.code == 0, said.err
    assert "usage" in said.out and (said.err == "" or script not in SCRIPTS)


@pytest.mark.parametrize("script", DOCUMENTED)
def test_documented_calls_exist_with_their_flags(script):
    calls = [(document, arguments) for document, called, arguments in CALLS if called == script]
    assert _place(script).exists(), f"{calls[0][0]} calls {script}, which is not there"
    said = _help(script)
    assert said.code == 0, said.err
    known = set(re.findall(r"--[a-z][a-z0-9_-]*", said.out))
    for document, arguments in calls:
        for flag in re.findall(r"(?<!\S)--[a-z][a-z0-9_-]*", arguments):
            assert flag in known, f"{document}: {script} has no {flag}"


def _console_calls() -> list[tuple[str, str, str]]:
    """List (document, command, arguments) of every call of the console command in every fenced block."""
    return [
        (document, command, arguments)
        for document in DOCUMENTS
        for _, block in FENCE.findall(_text(document))
        for command, arguments in CONSOLE.findall(block.replace("\\\n", " "))
    ]


def _console_flags(command: str) -> set[str]:
    said = _called(lambda: main([command, "--help"]))
    assert said.code == 0, said.err
    return set(re.findall(r"(?<!\S)--?[a-z][a-z0-9_-]*", said.out))


CONSOLE_CALLS = _console_calls()


@pytest.mark.parametrize("command", sorted({command for _, command, _ in CONSOLE_CALLS}))
def test_documented_console_commands_exist_with_their_flags(command):
    known = _console_flags(command)
    for document, called, arguments in CONSOLE_CALLS:
        if called == command:
            unquoted = re.sub(r'"[^"]*"', "", arguments)
            for flag in re.findall(r"(?<!\S)--?[a-z][a-z0-9_-]*", unquoted):
                assert flag in known, f"{document}: ppstyleclip {command} has no {flag}"


@pytest.mark.parametrize("document", ["docs/en_US/quickstart.md", "docs/zh_CN/quickstart.md"])
def test_the_quick_start_lists_every_command_with_its_script(document):
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (?:`(\w+)\.py`)? ?\|", _text(document), re.MULTILINE))
    scripts = {ALIASES.get(p.stem, p.stem): p.stem for p in (ROOT / "tools").glob("*.py")}
    listed = {command: script for command, script in rows.items() if command in COMMANDS}
    assert listed == {command: scripts.get(command, "") for command in COMMANDS}


def test_links_and_pictures_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", _text(document))):
            if not re.match(r"[a-z]+:|#", target):
                path = (ROOT / document).parent / target.partition("#")[0]
                assert path.exists(), f"{document} points to {target}, which is not there"


def test_files_named_in_running_text_exist():
    for document in DOCUMENTS:
        for name in NAMED.findall(FENCE.sub("", _text(document))):
            assert (ROOT / name).exists(), f"{document} names {name}, which is not there"


@pytest.mark.parametrize("name", ["command: edit", "command: test", "python: editor"])
def test_readmes_have_the_marked_blocks(name):
    assert _marked_block("README.md", name) and _marked_block("README_zh-CN.md", name)


def _python_blocks() -> list[tuple[str, str]]:
    return [(d, block) for d in DOCUMENTS for kind, block in FENCE.findall(_text(d)) if kind == "python"]


def test_documented_python_imports_what_is_there():
    for document, block in _python_blocks():
        for node in ast.walk(ast.parse(block, document)):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "ppstyleclip":
                module = importlib.import_module(node.module)
                missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                assert not missing, f"{document}: {node.module} has no {missing}"


def test_every_english_page_has_its_chinese_twin():
    pages = [{p.name for p in (ROOT / "docs" / tongue).glob("*.md")} for tongue in ("en_US", "zh_CN")]
    assert pages[0] and pages[0] == pages[1]


@pytest.mark.parametrize("page", ["README.md", *(d for d in DOCUMENTS if "/en_US/" in d)])
def test_twins_show_the_same_code(page):
    twin = page.replace("en_US", "zh_CN").replace("README.md", "README_zh-CN.md")
    english, chinese = (
        [re.sub(r"\s*#.*", "", block) for kind, block in FENCE.findall(_text(document)) if kind]
        for document in (page, twin)
    )
    assert english == chinese  # but for the comments, which are translated


@pytest.mark.slow
@pytest.mark.skipif(not list(PACK.glob("*.safetensors")), reason="the embedded pack is not there")
def test_the_readme_lines_of_python_run(tmp_path):
    lines = _marked_block("README.md", "python: editor")
    assert len([line for line in lines.splitlines() if line.strip()]) == 6
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PPSTYLECLIP_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in re.findall(r'"(\w+\.png)"', lines):
        assert (tmp_path / name).stat().st_size > 500


# What the extra `test` brings on some Pythons only, and what other extras bring.
NOT_EVERYWHERE = (
    "aiohttp av dlib fastapi gradio gunicorn ipykernel multipart nbclient onnxruntime playwright "
    "pydantic_settings redis rq socketio starlette torch uvicorn uvicorn_worker websockets"
).split()


@pytest.mark.slow
def test_every_test_file_is_read_where_extras_are_missing(tmp_path):
    for name in NOT_EVERYWHERE:
        words = f"No module named {name!r}"
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError({words!r}, name={name!r})\n")
    paths = [str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_file_names_the_place_where_it_was_written():
    private = re.compile(r"(?<![\w.}$])/(?:work|root|home|opt|Users|private|data|mnt)/\w")
    for relative in [f for kind in ("*.py", "*.md", "*.yaml", "*.toml", "run") for f in _files(kind)] + [
        *DOCUMENTS, "setup.py", "pyproject.toml"]:  # fmt: skip
        for number, line in enumerate(_text(relative).splitlines(), 1):
            assert not private.search(line), f"{relative}:{number} names one machine's path: {line.strip()}"


def test_python_files_say_whose_they_are_and_what_for():
    texts = {relative: _text(relative) for relative in [*_files("*.py"), "setup.py"]}
    kept = {f for f, text in texts.items() if text.startswith((HEADER, "#!")) and HEADER in text[:200]}
    assert not (lacking := sorted(texts.keys() - kept)), f"{lacking} lack the licence line"
    assert not (lacking := [f for f, text in texts.items() if '"""' not in text[:400]]), (
        f"{lacking} lack a docstring"
    )


def test_every_package_folder_is_a_package():
    folders = {(ROOT / f).parent for f in _files("*.py") if f.startswith("ppstyleclip/")}
    assert not [f.relative_to(ROOT).as_posix() for f in sorted(folders) if not (f / "__init__.py").exists()]
