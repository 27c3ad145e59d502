# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Imports the server once, then forks servers and workers as it is told: a line of JSON in, one out."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback

from server_process import run_server, run_worker

KINDS = {"server": run_server, "worker": run_worker}


def fork(kind: str, args: list[str], log: str, announced: str) -> int:
    """Start a child, which writes its address or name to a file once it is at work; its number."""
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(file, 2)
        os.dup2(file, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

        def announce(words: str) -> None:
            with open(f"{announced}.draft", "w") as draft:
                draft.write(words)
            os.replace(f"{announced}.draft", announced)

        KINDS[kind](args, announce)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Do what stdin says, until it ends."""
    children: set[int] = set()
    print("ready", flush=True)
    for line in sys.stdin:
        wish = json.loads(line)
        if "wait" in wish:
            number, status = os.waitpid(wish["wait"], os.WNOHANG)
            answer = None if number == 0 else os.waitstatus_to_exitcode(status)
            children -= {number}
        else:
            answer = fork(**wish)
            children.add(answer)
        print(json.dumps(answer), flush=True)
    for one in children:
        os.kill(one, signal.SIGKILL)


if __name__ == "__main__":
    main()
