# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The studio in a real browser, below a path of a proxy: both languages, a desktop and a phone's width."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow
if sys.version_info < (3, 10):
    pytest.skip("the studio needs Python 3.10", allow_module_level=True)
for _module in ("gradio", "fastapi", "socketio", "dlib"):  # imported by the studio's process alone
    if importlib.util.find_spec(_module) is None:
        pytest.skip(f"the studio's page needs {_module}", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="a browser is driven by playwright")

from chromium import launch  # noqa: E402
from studio_process import PATIENCE, studio  # noqa: E402

from ppstyleclip.provenance import png_texts  # noqa: E402
from ppstyleclip.studio.handlers import SESSION_NOTE  # noqa: E402
from ppstyleclip.studio.words import words_in  # noqa: E402

VIEWS = {"desktop": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with studio(tmp_path_factory.mktemp("studio")) as place:
        yield place


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        one = launch(driver)
        yield one
        one.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A photo with one face that the model knows."""
    from ppstyleclip.files import save_png
    from ppstyleclip.worlds.portrait.scenes import draw_scene

    path = tmp_path_factory.mktemp("photo") / "scene.png"
    save_png(path, draw_scene(21, faces=1, width=480, height=360, sides=(170, 180)).pixels)
    return path


class Page:
    """An open page, what it asked the net for, and what it complained of."""

    def __init__(self, tab):
        self.tab, self.asked, self.errors = tab, [], []
        tab.set_default_timeout(1000 * PATIENCE)
        tab.on("request", lambda request: self.asked.append(request.url))
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("console", self.hear)

    def hear(self, line):
        """Keep an error; the host's own icon, which browsers ask for, is not the studio's."""
        if line.type == "error" and not line.location.get("url", "").endswith("/favicon.ico"):
            self.errors.append(f"{line.text} {line.location}")

    def open(self, url):
        self.tab.goto(url)
        self.tab.wait_for_function("document.querySelector('.pp-after')?.src")
        self.tab.wait_for_selector(".pp-seeds img")

    @property
    def picture(self):
        return self.tab.evaluate("document.querySelector('.pp-after').src")

    @contextlib.contextmanager
    def another_picture(self):
        """What is done inside ends with another picture."""
        before = self.picture
        yield
        self.tab.wait_for_function(
            "(old) => document.querySelector('.pp-after').src !== old "
            "&& !document.body.classList.contains('pp-waits')",
            arg=before,
        )

    @property
    def edits(self):
        return self.tab.eval_on_selector_all(
            ".pp-steps li:not(.pp-none) b", "all => all.map(one => one.textContent)"
        )

    def wait_for_edit(self, text):
        self.tab.wait_for_function(
            "(text) => document.querySelector('.pp-steps li:not(.pp-none) b')?.textContent === text "
            "&& !document.body.classList.contains('pp-waits')",
            arg=text,
        )

    def slide(self, share):
        box = self.tab.locator("#pp-alpha input[type=range]").bounding_box()
        self.tab.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)

    def saved(self, action):
        with self.tab.expect_download() as found:
            self.tab.click(f"[data-do={action}]")
        return found.value.path().read_bytes()


@pytest.fixture
def page(browser, request):
    width, height = VIEWS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    one = Page(context.new_page())
    yield one
    context.close()


@pytest.mark.parametrize(
    "page, language", [("desktop", "en"), ("phone", "zh")], indirect=["page"], ids=["desktop", "phone"]
)
def test_a_visit(page, language, address, photo):
    words, tab = words_in(language), page.tab
    page.open(f"{address}/studio/{language}/")
    assert words["private"] in tab.inner_text(".pp-private")
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"

    with page.another_picture():  # upload; the only face is taken at once
        tab.set_input_files(".pp-file", photo)
    with page.another_picture():  # edit
        tab.click(".pp-chip >> nth=0")
    assert page.edits == [tab.inner_text(".pp-chip >> nth=0")]
    first = page.picture
    with page.another_picture():  # slider
        tab.locator("#pp-alpha").scroll_into_view_if_needed()
        page.slide(0.75)
    strength = float(tab.input_value("#pp-alpha input[type=number]"))
    assert strength > 5 and page.picture != first
    with page.another_picture():  # region
        tab.click("#pp-regions label >> nth=0")
    assert words["mouth"] in tab.inner_text(".pp-steps small >> nth=0")
    tab.click("[data-do=accept]")
    tab.wait_for_selector(".pp-steps li:not(.pp-trying):not(.pp-none)")
    accepted = page.picture
    with page.another_picture():  # undo, redo
        tab.click("[data-do=undo]")
    assert page.edits == []
    with page.another_picture():
        tab.click("[data-do=redo]")
    assert page.picture == accepted and len(page.edits) == 1

    with page.another_picture():  # contact sheet
        tab.click(".pp-chip >> nth=1")
    tab.click("[data-do=sheet]")
    tab.wait_for_selector(".pp-cells img")
    cells = tab.locator(".pp-cells button")
    assert cells.count() >= 9
    with page.another_picture():
        cells.nth(0).click()
    assert tab.locator(".pp-cells").count() == 0 or not tab.is_visible(".pp-cells")
    tab.wait_for_selector(".pp-verdict")

    data = page.saved("save")  # download
    texts = png_texts(data)
    assert "AIGC" in texts and "w_plus" in texts[SESSION_NOTE]
    height, width, _ = np.asarray(Image.open(io.BytesIO(data))).shape
    assert height == width >= 128
    whole = np.asarray(Image.open(io.BytesIO(page.saved("save_photo"))))
    old = np.asarray(Image.open(photo))
    assert whole.shape == old.shape and 0 < (whole != old).any(axis=2).mean() < 0.1, "of the photo the mouth"

    assert all(url.startswith((address, "data:", "blob:")) for url in page.asked), (
        "nothing comes from elsewhere"
    )
    assert page.errors == []


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_a_link_brings_the_session_back_and_the_server_never_sees_it(page, address):
    tab = page.tab
    page.open(f"{address}/studio/en/")
    with page.another_picture():
        tab.click(".pp-seeds button >> nth=3")
    with page.another_picture():
        tab.fill("#pp-target textarea, #pp-target input", "old face")
        tab.keyboard.press("Enter")
    tab.keyboard.press("Control+Enter")
    tab.wait_for_selector(".pp-steps li:not(.pp-trying):not(.pp-none)")
    tab.click("[data-do=link]")
    tab.wait_for_function("location.hash.startsWith('#session=')")
    url, shown = tab.url, page.picture
    other = Page(tab.context.new_page())
    other.open(url)
    assert other.picture == shown and other.edits == ["old face"]
    token = url.partition("#")[2]
    assert not any(token in asked.partition("#")[0] for asked in other.asked)
    other.tab.click("[data-do=language]")
    other.tab.wait_for_url("**/studio/zh/**")
    other.tab.wait_for_function("document.querySelector('.pp-after')?.src")
    assert other.picture == shown and other.edits == ["old face"], "the other language shows the same session"


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_keys_and_the_line_between_before_and_after(page, address):
    tab = page.tab
    page.open(f"{address}/studio/en/")
    with page.another_picture():
        tab.click(".pp-chip >> nth=2")
    tab.focus(".pp-stage")
    for _ in range(5):
        tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.querySelector('.pp-frame').style.getPropertyValue('--wipe')") == "20%"
    tab.keyboard.down("c")
    assert tab.locator(".pp-comparing").count() == 1
    tab.keyboard.up("c")
    assert tab.locator(".pp-comparing").count() == 0
    with page.another_picture():
        tab.keyboard.press("z")
    assert page.edits == []
    tab.click("[data-do=theme]")
    dark = tab.evaluate("document.body.classList.contains('dark')")
    assert tab.evaluate("localStorage.getItem('pp-theme')") == ("dark" if dark else "light")


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_a_mapper_that_takes_a_text_has_a_field_for_it(page, address):
    tab = page.tab
    page.open(f"{address}/studio/en/")
    with page.another_picture():  # the first one, which takes none
        tab.click("#pp-method label >> nth=2")
    assert not tab.is_visible("#pp-target") and not tab.is_visible(".pp-chip >> nth=0")
    tab.click("#pp-mapper input")
    tab.get_by_role("option").filter(has_text="words").click()
    tab.wait_for_selector("#pp-target", state="visible")
    # Its answer sets the field, and would take away what is typed before.
    tab.wait_for_function("!/pp-waits|pp-thinks/.test(document.body.className)")
    assert not tab.is_visible("#pp-neutral")
    tab.fill("#pp-target input", "face with red hair")
    tab.press("#pp-target input", "Enter")
    page.wait_for_edit("face with red hair")  # the face without one may be drawn before
    with page.another_picture():
        tab.click("#pp-mapper input")
        tab.get_by_role("option").filter(has_text="happy").click()
    assert not tab.is_visible("#pp-target") and page.edits == ["happy face"]
