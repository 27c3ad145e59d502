# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The cache is the user's own, whatever the umask; what killed processes left in it is removed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from engine_world import BOUND, draw_styles, eager, relative

from ppstyleclip import engine, locks
from ppstyleclip.engine import cache_folder, program_cache
from ppstyleclip.engine.cache_folder import make_folder, new_folder, refusal_of, sweep

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes of POSIX")
only_root = pytest.mark.skipif(
    not hasattr(os, "geteuid")
    or os.geteuid() != 0
    or not all(place.stat().st_mode & 0o005 == 0o005 for place in (ROOT, *ROOT.parents)),
    reason="only root can be several users, and only where others may read the checkout",
)


@pytest.fixture
def umask_000():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where private folders are made; each test has its own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(cache_folder.tempfile, "gettempdir", lambda: str(folder))
    for function in (cache_folder._private_folder, cache_folder._warn_once):
        function.cache_clear()
    yield folder
    for function in (cache_folder._private_folder, cache_folder._warn_once):
        function.cache_clear()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# ---- owners and modes


@posix
def test_the_cache_is_closed_to_others_under_any_umask(generator, tmp_path, monkeypatch, umask_000):
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "a" / "b"))
    styles = draw_styles(generator, 1)
    assert engine.compile_synthesis(generator).compile()
    home = tmp_path / "a" / "b" / "engine"
    [place] = home.iterdir()
    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o775
    assert mode(home) == mode(place) == 0o700
    assert {mode(path) for path in place.iterdir()} == {0o600}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = engine.compile_synthesis(generator)
        assert relative(again(styles), eager(generator, styles)) < BOUND / 10
    assert again.parts[0].compiled._program.folder == place


@posix
@pytest.mark.parametrize(
    "bits", [0o777, pytest.param(0o770, marks=pytest.mark.slow), pytest.param(0o702, marks=pytest.mark.slow)]
)
def test_a_folder_that_others_can_write_is_not_used(generator, tmp_path, temporary, bits):
    styles, home = draw_styles(generator, 1), tmp_path / "home"
    engine.compile_synthesis(generator, folder=home)(styles)
    home.chmod(bits)
    draw = engine.compile_synthesis(generator, folder=home)
    words = rf"home can be written by other users \(mode {bits:o}; delete it\): .* set PPSTYLECLIP_HOME"
    with pytest.warns(UserWarning, match=words) as said:
        picture = draw(styles)
    assert len(said) == 1 and relative(picture, eager(generator, styles)) < BOUND / 10
    assert draw.parts[0].compiled._program.folder.is_relative_to(temporary)


@posix
def test_a_folder_that_belongs_to_someone_else_is_not_used(tmp_path, monkeypatch):
    assert refusal_of(tmp_path) == ""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    owner = os.getuid()
    assert refusal_of(tmp_path) == ("" if owner == 0 else f"{tmp_path} belongs to another user")
    if owner == 0:  # what root owns is as good as one's own
        os.chown(tmp_path, 54321, -1)
        assert refusal_of(tmp_path) == f"{tmp_path} belongs to another user"


def test_where_there_are_no_owners_nothing_is_refused(tmp_path, monkeypatch):
    tmp_path.chmod(0o777)
    monkeypatch.delattr(os, "getuid", raising=False)
    assert refusal_of(tmp_path) == "" and make_folder(tmp_path / "home") == ""


AS_USERS = """
import os, sys, warnings
from pathlib import Path
from ppstyleclip.threads import import_paddle
import_paddle()
import numpy as np
from engine_world import draw_styles, eager
from tiny_world import tiny_generator
from ppstyleclip import engine
generator = tiny_generator()
styles = draw_styles(generator, 1)
expected = eager(generator, styles)
engine.compile_synthesis(generator, folder=sys.argv[1] + "/first")(styles)  # all modules are imported
for user in map(int, sys.argv[2:]):
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                picture = engine.compile_synthesis(generator)(styles)
            assert np.abs(picture - expected).max() < 1e-3
            print(user, *(line.message for line in said), flush=True)
        except BaseException as error:
            print(user, repr(error), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
@only_root
@pytest.mark.parametrize(
    "home, reason",
    [("/", "written"), ("/root", "read"), ("/no-home", "written")],
)
def test_the_cure_is_named_where_the_home_is_not_the_users_own(
    tmp_path, open_folder, monkeypatch, home, reason
):
    if home == "/root" and mode(Path(home)) & 0o077:
        pytest.skip("others may enter root's home")
    monkeypatch.delenv("PPSTYLECLIP_HOME", raising=False)
    user = start_python(AS_USERS, tmp_path, 1001, HOME=home, TMPDIR=str(open_folder))
    said, complaint = user.communicate(timeout=180)
    words = "compiled programs are not kept; set PPSTYLECLIP_HOME to a folder of your own"
    expected = (
        f"1001 {Path(home) / '.cache/ppstyleclip/engine'} cannot be {reason} (Permission denied): {words}"
    )
    assert said.splitlines() == [expected], complaint


@pytest.mark.slow
@only_root
def test_two_users_share_a_folder(tmp_path, open_folder):
    """The first keeps programs there, the other one is told; each gets the right picture."""
    folder = str(open_folder)
    users = start_python(
        AS_USERS, tmp_path, 1001, 1002, 1001, PPSTYLECLIP_HOME=folder, HOME="/", TMPDIR=folder
    )
    said, complaint = users.communicate(timeout=180)
    words = "compiled programs are not kept; set PPSTYLECLIP_HOME to a folder of your own"
    expected = ["1001", f"1002 {open_folder}/engine belongs to another user: {words}", "1001"]
    assert said.splitlines() == expected, complaint


def start_python(code, *args, **environment):
    """A process of its own that can import what tests import."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *map(str, args)],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---- what is left behind


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def abandoned(home, name, *, lock):
    (home / name).mkdir()
    (home / name / "program.pdmodel").write_bytes(b"half")
    if lock:
        (home / f"{name}.lock").write_bytes(b"")


def test_drafts_of_killed_processes_are_removed_and_those_at_work_stay(tmp_path):
    abandoned(tmp_path, ".draft-00", lock=True)
    abandoned(tmp_path, ".draft-unlocked", lock=False)  # of an earlier version, or just being made
    abandoned(tmp_path, ".draft-old", lock=False)
    day = time.time() - 2 * 86400
    os.utime(tmp_path / ".draft-old", (day, day))
    (tmp_path / ".draft-gone.lock").write_bytes(b"")
    (tmp_path / ".trash-00").mkdir()
    (tmp_path / ".trash-01").write_bytes(b"")
    (tmp_path / ".draft.txt").write_bytes(b"")
    (tmp_path / "0f70f1ec4aaa29a7ab21").mkdir()
    with new_folder(tmp_path) as draft:
        sweep(tmp_path)
        at_work = {draft.name, f"{draft.name}.lock"}
        others = {".draft-unlocked", ".draft.txt", "0f70f1ec4aaa29a7ab21"}
        assert set(left_in(tmp_path)) == at_work | others
    assert set(left_in(tmp_path)) == others


def test_without_locks_only_old_drafts_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_lock", lambda file, wait: None)
    abandoned(tmp_path, ".draft-new", lock=True)
    abandoned(tmp_path, ".draft-old", lock=True)
    day = time.time() - 2 * 86400
    os.utime(tmp_path / ".draft-old", (day, day))
    sweep(tmp_path)
    assert left_in(tmp_path) == [".draft-new", ".draft-new.lock"]


def test_private_folders_of_killed_processes_are_removed(temporary):
    names = [f"ppstyleclip-{word}-{digits * 16}" for word, digits in (("engine", "0"), ("source", "1"))]
    for name in names:
        abandoned(temporary, name, lock=True)
    (temporary / "ppstyleclip-notes").mkdir()
    folder = cache_folder.private_folder("engine")
    assert left_in(temporary) == sorted([folder.name, f"{folder.name}.lock", "ppstyleclip-notes"])
    assert cache_folder.private_folder("engine") == folder
    assert locks.try_acquire(f"{folder}.lock") is None


KILLED = """
import os, sys, signal
from ppstyleclip.threads import import_paddle
import_paddle()
from engine_world import draw_styles
from tiny_world import tiny_generator
from ppstyleclip import engine
from ppstyleclip.engine import compiled_layer
def export(layer, shapes, folder, **options):
    (folder / "program.pdmodel").write_bytes(b"half")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
compiled_layer.export = export
engine.compile_synthesis(tiny_generator(), folder=sys.argv[1]).compile()
"""


@posix
@pytest.mark.slow
def test_the_draft_of_a_killed_compile_goes_with_the_next_one(generator, tmp_path):
    home = tmp_path / "home"
    killed = start_python(KILLED, home)
    said, complaint = killed.communicate(timeout=180)
    assert killed.returncode == -9 and (Path(said.strip()) / "program.pdmodel").is_file(), complaint
    assert engine.compile_synthesis(generator, folder=home).compile()
    [place] = home.iterdir()
    assert not place.name.startswith(".")


AT_ONCE = """
import sys
from ppstyleclip.threads import import_paddle
import_paddle()
import numpy as np
from engine_world import draw_styles, eager
from tiny_world import tiny_generator
from ppstyleclip import engine
generator = tiny_generator()
styles = draw_styles(generator, 2)
expected = eager(generator, styles)
draw = engine.compile_synthesis(generator, folder=sys.argv[1])
print("ready", flush=True)
input()
for _ in range(2):
    assert np.abs(draw(styles) - expected).max() < 1e-3
    engine.compile_synthesis(generator, side=8, folder=sys.argv[1]).compile()  # the first is loaded again
assert draw.compile()
assert str(draw.parts[0].compiled._program.folder.parent) == sys.argv[1]
"""


@pytest.mark.slow
@pytest.mark.parametrize("damaged", [False, True])
def test_processes_that_compile_the_same_at_once_draw_rightly(generator, tmp_path, damaged):
    home = tmp_path / "home"
    if damaged:
        engine.compile_synthesis(generator, folder=home).compile()
        [place] = home.iterdir()
        (place / "program.pdiparams").write_bytes(b"damaged")
    processes = [start_python(AT_ONCE, home) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        complaint = process.communicate(timeout=180)[1]
        assert process.returncode == 0, complaint
    assert len(left_in(home)) == 2 and not any(name.startswith(".") for name in left_in(home))


def test_room_is_made_without_touching_drafts(tmp_path, monkeypatch):
    monkeypatch.setattr(program_cache, "KEEP_BYTES", 0)
    abandoned(tmp_path, "0f70f1ec4aaa29a7ab21", lock=False)
    with new_folder(tmp_path) as draft:
        (draft / "program.pdmodel").write_bytes(b"half")
        program_cache._make_room(tmp_path)
        assert set(left_in(tmp_path)) == {draft.name, f"{draft.name}.lock"}
