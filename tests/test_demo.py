# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The demo page: what is built for it, and what a browser makes of it."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from chromium import launch

from ppstyleclip.editor import Edit
from ppstyleclip.pictures import to_pixels

DEMO = Path(__file__).resolve().parents[1] / "docs" / "demo"
MOST_BYTES = 6_000_000  # of page and model, without onnxruntime-web


@pytest.fixture
def build():
    pytest.importorskip("onnx")
    found = importlib.util.spec_from_file_location("demo_build", DEMO / "build.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_texts_are_there_in_both_languages(build):
    source = (DEMO / "page" / "texts.js").read_text(encoding="utf-8")
    english, _, chinese = source.partition("  zh: {")
    names = {line.split(":")[0].strip() for line in english.splitlines() if line.startswith("    ")}
    assert names == {line.split(":")[0].strip() for line in chinese.splitlines() if line.startswith("    ")}
    page = (DEMO / "page" / "index.html").read_text(encoding="utf-8")
    assert all(f'data-text="{name}"' in page for name in names - {"loading", "failed", "facts"})
    assert len(build.DIRECTIONS) == 10 and all(en and zh for en, zh in build.DIRECTIONS.values())


def test_what_is_built_is_small_and_draws_the_faces(build, tmp_path, monkeypatch, tiny_editor):
    onnxruntime = pytest.importorskip("onnxruntime")
    happy = Edit("face", "happy face", beta=0.0)
    monkeypatch.setattr(build, "DIRECTIONS", {"happy face": ("Smile", "微笑")})
    monkeypatch.setattr(build, "Edit", lambda *words: Edit(*words, beta=0.0))
    size = build.build_model(tiny_editor, tmp_path / "model")
    about = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))
    assert about["bytes"] == size
    faces, directions = (
        np.fromfile(tmp_path / "model" / f"{name}.bin", "<f4").reshape([-1, about["channels"]])
        for name in ("faces", "directions")
    )
    session = onnxruntime.InferenceSession(str(tmp_path / "model" / "synthesis.onnx"))
    made = session.run(None, {"s": faces + 3 * directions[0]})[0]
    wanted = tiny_editor.synthesize(tiny_editor.apply(tiny_editor.sample(build.SEEDS), happy, alphas=[3.0]))
    assert np.abs(to_pixels(made).astype(int) - to_pixels(wanted)).max() <= 4  # weights are float16


@pytest.mark.slow
def test_the_embedded_model_and_the_page_are_under_six_megabytes(build, tmp_path):
    build.main(["--out", str(tmp_path / "built"), "--no_runtime"])
    total = sum(path.stat().st_size for path in (tmp_path / "built").rglob("*") if path.is_file())
    assert 1_000_000 < total < MOST_BYTES


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, *args):
        pass


@pytest.fixture
def served():
    if not (DEMO / "build" / "ort").is_dir() or not (DEMO / "build" / "model" / "model.json").is_file():
        pytest.skip("the page is not built; run: python docs/demo/build.py")
    handler = functools.partial(Quiet, directory=str(DEMO / "build"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.slow
def test_the_page_draws_and_edits_in_a_browser(served):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = launch(started)
        page = browser.new_page(viewport={"width": 1180, "height": 820}, locale="en-US")
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.goto(served)
        page.wait_for_function(
            "document.documentElement.dataset.drawn || document.documentElement.dataset.failed"
        )
        page.wait_for_selector("#new:enabled", timeout=60_000)
        picture = "document.getElementById('face').toDataURL()"
        before = page.evaluate(picture)
        assert page.locator("#sliders input").count() == 10
        assert "ms for 128 × 128 px" in page.locator("#time").inner_text()
        move(page, 0, 6)
        after = page.evaluate(picture)
        assert after != before and page.locator(".slider.moved output").inner_text() == "+6"
        drawing(page, lambda: page.locator("#compare").dispatch_event("pointerdown"))
        assert page.evaluate(picture) == before
        drawing(page, lambda: page.locator("#compare").dispatch_event("pointerup"))
        assert page.evaluate(picture) == after
        with page.expect_download() as download:
            page.click("#save")
        assert b"trainedAlgorithmicMedia" in Path(download.value.path()).read_bytes()
        drawing(page, lambda: page.click("#reset"))
        assert page.evaluate(picture) == before
        for _ in range(7):  # past the faces that came with the page: one by chance
            drawing(page, lambda: page.click("#new"))
        assert page.evaluate(picture) != before
        page.click("#language")
        assert page.locator("h1").inner_text().startswith("一张脸")
        folder = os.environ.get("PPSTYLECLIP_SCREENSHOTS")
        if folder:
            page.screenshot(path=str(Path(folder) / "demo.png"))
        assert problems == [] and page.evaluate("document.documentElement.dataset.failed") is None
        browser.close()


def drawing(page, act):
    """Do something, and wait until what it asks for is drawn."""
    count = page.evaluate("Number(document.documentElement.dataset.drawn || 0)")
    act()
    page.wait_for_function(f"Number(document.documentElement.dataset.drawn) > {count}", timeout=60_000)


def move(page, index, value):
    script = f"(input) => {{ input.value = {value}; input.dispatchEvent(new Event('input')); }}"
    drawing(page, lambda: page.locator("#sliders input").nth(index).evaluate(script))
