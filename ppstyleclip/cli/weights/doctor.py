# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`ppstyleclip doctor`: what is installed, what is missing, and the command that brings it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.environment import Check, examine, list_files
from ppstyleclip.threads import import_paddle

if TYPE_CHECKING:
    from ppstyleclip.devices import DeviceCheck

CANNOT_EDIT = 1


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(
        "Look at what is installed, and say what is missing and the command that brings it.",
        epilog="Exit code: 0 if the main job, editing the embedded face, can run; 1 if it cannot,\n"
        "or a GPU computes other numbers; 2 for bad input, no GPU or a failed download.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument(
        "--fetch",
        nargs="+",
        metavar="NAME",
        help="only download published files of these names, as listed without --fetch",
    )
    parser.add_argument(
        "--gpu",
        action="store_true",
        help="only compare the GPU with the CPU: numbers and milliseconds, in a minute; --json too",
    )
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> int:
    """Look at everything, print.

    Returns:
        0 where the main job can run, 1 where it cannot.
    Raises:
        UserError: --fetch names no published file, or one that cannot be fetched; --gpu, and there is none.
    """
    if args.fetch:
        return _fetch(args.fetch)
    if args.gpu:
        return _check_gpu(args.json)
    checks = examine(DEFAULT_SEED)
    files, failure = list_files()
    is_ready = all(check.state != "missing" for check in checks if check.needed)
    checks += failure
    if args.json:
        print(json.dumps(_report(checks, files, is_ready), indent=1))
    else:
        _print_files(files)
        _print_checks(checks, is_ready)
    return 0 if is_ready else CANNOT_EDIT


def _fetch(names: list[str]) -> int:
    from ppstyleclip.zoo import fetch_published

    for name in names:
        print(fetch_published(name))
    return 0


def _check_gpu(as_json: bool) -> int:
    import_paddle()
    from ppstyleclip.devices import check_device, describe_device, gpu_device

    device = gpu_device()
    described = describe_device(device)
    if as_json:
        rows = [finite(asdict(check)) for check in check_device(device)]
        print(json.dumps({"device": described, "checks": rows}, indent=1))
        return _exit_code([row["state"] for row in rows])
    print(described)
    return print_device_checks(check_device(device))


def finite(row: dict) -> dict:
    """A row for JSON, which has no NaN: null in its place."""
    return {name: None if value != value else value for name, value in row.items()}


def print_device_checks(checks: Iterable[DeviceCheck]) -> int:
    """Print a table, a line as soon as it is known; the exit code."""
    print(
        f"{'':8} {'what':34} {'as':5} {'difference':>10} {'allowed':>8} {'CPU ms':>8} {'GPU ms':>8} {'MB':>6}"
    )
    states = []
    for check in checks:
        states.append(check.state)
        if check.state in ("ok", "differs"):
            numbers = (
                f"{check.difference:10.1e} {check.allowed:8.0e} {check.cpu_ms:8.1f} {check.device_ms:8.1f} "
                f"{check.memory_mb:6.0f}  {check.note}"
            )
        else:
            numbers = check.note
        print(f"{check.state:8} {check.part:34} {check.precision:5} {numbers}".rstrip(), flush=True)
    code = _exit_code(states)
    print(f"\n{'all is well' if code == 0 else 'not well: please report this table'}")
    return code


def _exit_code(states: list[str]) -> int:
    return CANNOT_EDIT if {"differs", "failed"} & set(states) else 0


def _report(checks: list[Check], files: list[dict], is_ready: bool) -> dict:
    """What --json prints; its words are older than those of Check and stay for programs that read them."""
    found = [
        {
            "part": check.part,
            "state": check.state,
            "says": check.description,
            "cure": check.fix,
            "needed": check.needed,
        }
        for check in checks
    ]
    listed = [
        {**{name: value for name, value in file.items() if name != "fix"}, "cure": file["fix"]}
        for file in files
    ]
    return {"can_edit": is_ready, "findings": found, "files": listed}


def _print_checks(checks: list[Check], is_ready: bool) -> None:
    for check in checks:  # last, so that the end of it is on the screen
        print(f"{check.state:8} {check.part}: {check.description}")
        if check.fix:
            print(f"{'':8} -> {check.fix}")
    missing = [check.part for check in checks if check.state == "missing" and check.needed]
    print(f"\n{'ready: the embedded face can be edited' if is_ready else 'not ready: ' + ', '.join(missing)}")


def _print_files(files: list[dict]) -> None:
    if not files:
        return
    for use in dict.fromkeys(file["for"] for file in files):
        print(f"published files for {use}")
        for file in (file for file in files if file["for"] == use):
            words = [f"{file['state']:8} {file['name']}", file["size"]]
            words += [word for word in ("pinned", "verified") if file[word]]
            print("  " + ", ".join([*words, f"licence {file['licence']}"]))
        print()
    print("licences")
    for licence, text in dict.fromkeys((file["licence"], file["licence_text"]) for file in files):
        print(f"  {licence}: {text}")
    print("\nan absent file comes with: ppstyleclip doctor --fetch NAME")
    for file in files:
        if file["fix"].startswith("by hand"):
            print(f"  {file['name']}: {file['fix']}")
    print()
