# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A verification as a report: short enough to read, with the numbers for those who come after."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import paddle

from ppstyleclip import __version__
from ppstyleclip.errors import plain
from ppstyleclip.threads import thread_count
from ppstyleclip.verify.checks import Finding


def verdict_of(findings: Sequence[Finding]) -> str:
    """ "whole" where all is ok, "incomplete" where parts are missing, else "not as published"."""
    states = {finding.state for finding in findings}
    if states & {"odd", "failed"} or not states:
        return "not as published"
    return "incomplete" if "missing" in states else "whole"


def environment() -> dict[str, str]:
    """What it was run on; no name of a person or a machine is in it."""
    return {
        "ppstyleclip": __version__,
        "Paddle": paddle.__version__,
        "device": f"{paddle.get_device()}, {thread_count()} threads",
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def report_json(name: str, findings: Sequence[Finding]) -> str:
    """The report for programs."""
    report: dict[str, Any] = {
        "model": name,
        "verdict": verdict_of(findings),
        "environment": environment(),
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False, default=float)


def report_text(name: str, findings: Sequence[Finding], picture: str | None) -> str:
    """The report for people, Markdown: it can be put into an issue as it is."""
    lines = [f"# {name}: {verdict_of(findings)}", ""]
    lines += [f"- {word}: {value}" for word, value in environment().items()]
    lines += ["", "| state | part | found |", "|---|---|---|"]
    for finding in findings:
        found = plain(finding.description, 400).replace("|", "/")
        lines.append(f"| {finding.state} | {plain(finding.part, 80)} | {found} |")
    if picture is not None:
        lines += ["", f"![faces, faces of photographs, an edit]({picture})"]
    return "\n".join(lines) + "\n"
