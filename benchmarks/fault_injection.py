# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Break the cache of compiled programs in every way, draw from it in a new process, and count what came out.

    python benchmarks/fault_injection.py                           # 25 rounds of each kind
    python benchmarks/fault_injection.py --rounds 500 --seed 7     # longer, and others
    python benchmarks/fault_injection.py --only damage

Kinds: `kill` ends a process at a random moment of a compile by SIGKILL, and the next one draws. `disk` lets
no file grow beyond a random size, as a disk does that fills; then the next process draws without that limit.
`damage` changes one to three things about a kept program: cuts, flipped bits (with the times of change kept),
lost blocks, other contents, files that are gone, doubled or folders, another generator's files. `crowd` has
four processes draw at once on an empty or damaged cache, of which one is killed, and one more afterwards. A
picture is wrong if a pixel is more than one grey level from eager mode's. Exits with 1 if any was wrong, a
process crashed or hung, or a draft was left behind.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from stress.tasks import DrawTask, random_generator

SECONDS = 120  # after which a process counts as hanging
HTML = b"<!DOCTYPE html><html><body>404</body></html>\n"
CODES, CRASHED = {"right": 0, "wrong": 3}, 4  # that a process ends with
KINDS = ("kill", "disk", "damage", "crowd")
FILES = ("program.pdmodel", "program.pdiparams", "manifest.json")


class Process:
    """A forked process that draws once with the programs of a folder.

    Args:
        folder: the cache.
        size: of the picture.
        prepare: called in the process first.
    """

    def __init__(self, folder: Path, size: int, prepare: Callable[[], object] = lambda: None) -> None:
        self.log = tempfile.TemporaryFile()
        self.begun = time.perf_counter()
        self.number = os.fork()
        if self.number == 0:
            os.dup2(self.log.fileno(), 2)
            code = CRASHED
            try:
                prepare()
                code = draw(folder, size)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)

    def end(self) -> str:
        """Wait for it: "right", "wrong", "killed" (by us), or how it crashed."""
        while time.perf_counter() - self.begun < SECONDS:
            number, status = os.waitpid(self.number, os.WNOHANG)
            if number:
                return self._judge(status)
            time.sleep(0.01)
        os.kill(self.number, signal.SIGKILL)
        os.waitpid(self.number, 0)
        return "hung"

    def kill_after(self, seconds: float) -> str:
        """End it in a while, wherever it is then; as `end`."""
        time.sleep(max(0.0, self.begun + seconds - time.perf_counter()))
        os.kill(self.number, signal.SIGKILL)
        return self.end()

    def _judge(self, status: int) -> str:
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            return "killed" if number == signal.SIGKILL else f"signal {number}"
        code = os.WEXITSTATUS(status)
        for outcome, known in CODES.items():
            if code == known:
                return outcome
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return f"exit {code}: {lines[-1] if lines else ''}"[:200]


def draw(folder: Path, size: int) -> int:
    """Draw a picture with a folder's programs and compare it with eager mode's."""
    warnings.simplefilter("ignore")
    task = DrawTask(random_generator(size))
    task.compile(folder)
    outcome = task(0)
    print(outcome, file=sys.stderr, flush=True)
    return CODES.get(outcome, CRASHED)


class Rounds:
    """Rounds of one size; each kind is a method that gives the outcomes of the processes that had to draw.

    Attributes:
        place: a folder whose programs are whole.
        other: another generator's.
        seconds: that a process takes with an empty cache.
        cut_short: how many of the processes that were to be killed had not ended yet.
    """

    def __init__(self, folder: Path, size: int, dice: random.Random) -> None:
        self.folder, self.size, self.dice = folder, size, dice
        self.place, self.other = folder / "whole", folder / "other"
        self.cut_short = 0
        begun = time.perf_counter()
        assert self.process(self.place).end() == "right"
        self.seconds = time.perf_counter() - begun
        shutil.copytree(self.place, self.other)
        for weights in self.other.glob(f"*/{FILES[1]}"):
            flip_bits(weights, dice)

    def process(self, folder: Path, prepare: Callable[[], object] = lambda: None) -> Process:
        return Process(folder, self.size, prepare)

    def kill(self, home: Path) -> list[str]:
        self._kill(self.process(home))
        return [self.process(home).end()]

    def _kill(self, process: Process) -> None:
        self.cut_short += process.kill_after(self.dice.uniform(0, self.seconds)) == "killed"

    def disk(self, home: Path) -> list[str]:
        import resource

        sizes = [file.stat().st_size for file in self.place.glob("*/*")]
        limit = int(self.dice.uniform(0, 1.1 * max(sizes)))
        limited = self.process(home, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        return [limited.end(), self.process(home).end()]

    def damage(self, home: Path) -> list[str]:
        shutil.copytree(self.place, home)
        for _ in range(self.dice.choice((1, 1, 1, 2, 3))):
            self._damage(home)
        return [self.process(home).end()]

    def _damage(self, home: Path) -> None:
        places = [path for path in sorted(home.iterdir()) if path.is_dir()]
        if not places:
            return
        place = self.dice.choice(places)
        if self.dice.random() < 0.1:
            self.dice.choice((empty_folder, file_in_place))(place)
            return
        path = place / self.dice.choice(FILES)
        if self.dice.random() < 0.15 and (self.other / place.name / path.name).is_file():
            remove(path)
            shutil.copy2(self.other / place.name / path.name, path)
        elif path.is_file():
            self.dice.choice(DAMAGES)(path, self.dice)

    def crowd(self, home: Path) -> list[str]:
        if self.dice.random() < 0.5:
            shutil.copytree(self.place, home)
            self._damage(home)
        victim, *others = [self.process(home) for _ in range(4)]
        self._kill(victim)
        return [process.end() for process in others] + [self.process(home).end()]


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def empty_folder(place: Path) -> None:
    remove(place)
    place.mkdir()


def file_in_place(place: Path) -> None:
    remove(place)
    place.write_bytes(HTML)


def cut_off(path: Path, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(max(1, path.stat().st_size)))


def flip_bits(path: Path, dice: random.Random) -> None:
    """One to eight bits; size and time of change stay."""
    data, status = bytearray(path.read_bytes()), path.stat()
    for _ in range(dice.randint(1, 8)):
        if data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    with open(path, "r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def lose_block(path: Path, dice: random.Random) -> None:
    with open(path, "r+b") as file:
        file.seek(512 * dice.randrange(path.stat().st_size // 512 + 1))
        file.write(bytes(512))


def other_content(path: Path, dice: random.Random) -> None:
    contents = b"", b"{}", HTML * dice.randint(1, 500), dice.randbytes(dice.randint(1, 9999))
    path.write_bytes(dice.choice(contents))


def append_bytes(path: Path, dice: random.Random) -> None:
    with open(path, "ab") as file:
        file.write(dice.randbytes(dice.randint(1, 4096)))


def turn_into_folder(path: Path, dice: random.Random) -> None:
    remove(path)
    path.mkdir()


def delete(path: Path, dice: random.Random) -> None:
    remove(path)


def copy_beside(path: Path, dice: random.Random) -> None:
    """A second program, or something else of that folder under another name."""
    name = dice.choice(("program.json", *FILES))
    if name != path.name:
        remove(path.with_name(name))
        shutil.copy2(path, path.with_name(name))


DAMAGES = (cut_off, flip_bits, lose_block, other_content, append_bytes, turn_into_folder, delete, copy_beside)


def run_kind(rounds: Rounds, kind: str, count: int) -> int:
    """Do the rounds of a kind and print what came out; how many outcomes were not right, and drafts left."""
    outcomes: collections.Counter = collections.Counter()
    begun, left, rounds.cut_short = time.perf_counter(), 0, 0
    for number in range(count):
        home = rounds.folder / f"{kind}-{number}"
        outcomes.update(getattr(rounds, kind)(home))
        left += len([path for path in home.iterdir() if path.name.startswith(".")]) if home.is_dir() else 0
        remove(home)
    right, wrong = outcomes.pop("right", 0), outcomes.pop("wrong", 0)
    crashed = sum(outcomes.values())
    killed = f", {rounds.cut_short} processes killed at work" if kind in ("kill", "crowd") else ""
    print(
        f"{kind}: {count} rounds{killed}, {right} pictures right, {wrong} wrong, {crashed} crashed, "
        f"{left} drafts left, {time.perf_counter() - begun:.0f} s",
        *sorted(outcomes)[:3],
        sep="\n  ",
        flush=True,
    )
    return wrong + crashed + left


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25, help="of each kind")
    parser.add_argument("--size", type=int, default=32, help="of the pictures")
    parser.add_argument("--seed", type=int, default=0, help="of what is broken and when")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND", help="some kinds")
    return parser.parse_args(argv)


def main() -> int:
    args = parse_args()
    if not hasattr(os, "fork"):
        sys.exit("error: this needs a system with os.fork, such as Linux")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder  # of killed processes
        rounds = Rounds(Path(folder), args.size, random.Random(args.seed))
        print(f"a process with an empty cache takes {rounds.seconds:.1f} s", flush=True)
        return 1 if sum([run_kind(rounds, kind, args.rounds) for kind in args.only]) else 0


if __name__ == "__main__":
    sys.exit(main())
