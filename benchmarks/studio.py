# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How soon the studio's page is there, and how soon a slider's picture: in Chromium, on this machine.

Needs the extra `studio`, `pip install playwright`, and a Chromium of the system's or of playwright's. The
studio runs as a process of its own; the time of a picture is from the release of the strength slider until
the browser has decoded the new picture.

    python benchmarks/studio.py
    python benchmarks/studio.py --pages 5 --releases 40
    python benchmarks/studio.py --pictures docs/images
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

TIMER = """
window.ppTimes = [];
let begin = 0;
document.addEventListener('pointerup', () => { begin = performance.now(); }, true);
const image = document.querySelector('.pp-after');
new MutationObserver(async () => {
  if (!begin) return;
  const from = begin;
  begin = 0;
  await image.decode();
  window.ppTimes.push(performance.now() - from);
}).observe(image, { attributes: true, attributeFilter: ['src'] });
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=5, help="times that the page is opened (default: 5)")
    parser.add_argument("--releases", type=int, default=40, help="of the slider (default: 40)")
    parser.add_argument("--region", action="store_true", help="with the edit kept to the mouth")
    parser.add_argument("--pictures", metavar="DIR", help="write the pictures of the document instead")
    return parser.parse_args(argv)


def start(folder: str) -> tuple[subprocess.Popen, str]:
    """Start a studio, wait until it is ready, and return it with its address."""
    command = [sys.executable, "-m", "ppstyleclip", "studio", "--port", "0", "--data", folder, "--lang", "en"]
    environment = {**os.environ, "PPSTYLECLIP_SERVER_WARM": "draw"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    page = line.rpartition(" ")[2].strip()
    ready = page.partition("/studio")[0] + "/readyz"
    while process.poll() is None:
        try:
            with urllib.request.urlopen(ready, timeout=5):
                return process, page
        except OSError:
            time.sleep(0.5)
    raise SystemExit("the studio has ended; run `ppstyleclip studio` to see why")


def open_page(
    browser: Any, page: str, *, width: int = 1440, height: int = 900, **options: Any
) -> tuple[Any, float]:
    """A page in a browser without a cache, and the seconds until its picture was there."""
    tab = browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
    begin = time.perf_counter()
    tab.goto(page)
    tab.wait_for_function(
        "document.querySelector('.pp-after')?.complete && document.querySelector('.pp-after').src"
    )
    return tab, time.perf_counter() - begin


def release(tab: Any, count: int, region: bool) -> list[float]:
    """Milliseconds from each release of the strength slider until its picture."""
    tab.click(".pp-chip >> nth=0")
    tab.wait_for_selector(".pp-trying")
    if region:
        tab.click("#pp-regions label >> nth=0")
    tab.wait_for_selector(".pp-verdict", timeout=120_000)
    tab.wait_for_timeout(2000)
    tab.evaluate(TIMER)
    box = tab.locator("#pp-alpha input[type=range]").bounding_box()
    for number in range(count):
        share = 0.55 + 0.4 * ((number * 7) % count) / count
        tab.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        tab.wait_for_function(f"window.ppTimes.length > {number}")
        tab.wait_for_timeout(200)
    return tab.evaluate("window.ppTimes")


def draw_pictures(browser: Any, page: str, folder: Path) -> None:
    """Write the pictures of docs/: the studio, a contact sheet, a phone in the other language."""
    tab, _ = open_page(browser, page)
    tab.set_default_timeout(240_000)
    visit(tab, "happy face", accept=True)
    visit(tab, "face with glasses")
    tab.evaluate(
        "document.querySelector('.pp-wipe').value = 38; document.querySelector('.pp-wipe').oninput()"
    )
    tab.screenshot(path=folder / "studio.png")
    tab.click("[data-do=sheet]")
    tab.wait_for_selector(".pp-cells img")
    tab.wait_for_function("!document.body.classList.contains('pp-waits')")
    tab.locator(".pp-frame").screenshot(path=folder / "studio_sheet.png")
    tab, _ = open_page(browser, page.replace("/en/", "/zh/"), width=390, height=844, color_scheme="dark")
    tab.set_default_timeout(240_000)
    visit(tab, "卷发的脸")
    tab.mouse.move(5, 5)
    tab.screenshot(path=folder / "studio_phone.png")


def visit(tab: Any, text: str, *, accept: bool = False) -> None:
    """Try a text on the gallery's second face, or on what is shown, and wait for its card."""
    tab.wait_for_selector(".pp-seeds img")
    if not tab.locator(".pp-steps b").count():
        tab.click(".pp-seeds button >> nth=1")
        tab.wait_for_selector(".pp-seeds [aria-selected=true]")
    tab.click(f'.pp-chip[data-target="{text}"]')
    tab.wait_for_selector(".pp-trying")
    if accept:
        tab.click("[data-do=accept]")
        tab.wait_for_selector(".pp-steps li:not(.pp-trying):not(.pp-none)")
    tab.wait_for_selector(".pp-card:not(.pp-old) .pp-verdict")
    tab.wait_for_timeout(1500)


def main(argv: list[str] | None = None) -> None:
    """Measure, and print a line of JSON."""
    args = parse_args(argv)
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        process, page = start(folder)
        try:
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
            if args.pictures:
                return draw_pictures(browser, page, Path(args.pictures))
            opened = [open_page(browser, page) for _ in range(args.pages)]
            times = sorted(release(opened[-1][0], args.releases, args.region))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    seconds = [round(second, 2) for _, second in opened]
    print(
        json.dumps(
            {
                "page_seconds": seconds,
                "page_median": statistics.median(seconds),
                "release_ms_median": round(statistics.median(times)),
                "release_ms_p90": round(times[int(0.9 * len(times))]),
                "releases": len(times),
                "region": args.region,
                "cores": os.cpu_count(),
                "load_average": [round(one, 2) for one in os.getloadavg()],
            }
        )
    )


if __name__ == "__main__":
    main()
