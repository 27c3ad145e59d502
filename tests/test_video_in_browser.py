# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A joined video with sound, played to its end by a headless Chromium."""

import numpy as np
import pytest
from chromium import launch
from test_video_join import write_film

from ppstyleclip.video import save_mp4
from ppstyleclip.video_join import join_videos

FRAMES = 60
PAGE = """<!doctype html><video id="film" src="film.mp4" muted width="320"></video>
<script>
const film = document.getElementById("film");
film.onended = () => { document.title = "ended"; };
film.onerror = () => { document.title = "error " + film.error.code + " " + film.error.message; };
film.play();
</script>"""


@pytest.mark.slow
def test_chromium_plays_a_video_to_its_end(tmp_path):
    pytest.importorskip("av", reason="PyAV, which writes H.264, is not installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    levels = np.linspace(20, 230, FRAMES).astype(np.uint8)
    pictures = np.broadcast_to(levels[:, None, None, None], [FRAMES, 120, 160, 3])
    import av

    write_film(av, tmp_path / "source.mp4", "aac")
    parts = [tmp_path / f"part-{k}.mp4" for k in range(2)]
    for part, some in zip(parts, np.split(pictures, 2)):
        save_mp4(part, some, fps=30)
    join_videos(tmp_path / "film.mp4", parts, sound_of=tmp_path / "source.mp4")
    (tmp_path / "page.html").write_text(PAGE)
    with api.sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_function("document.title != ''", timeout=120_000)
        found = page.evaluate("[document.title, film.videoWidth, film.duration, film.currentTime]")
        browser.close()
    title, width, duration, current = found
    assert title == "ended" and width == 160
    assert duration == pytest.approx(2.0, abs=0.1) and current == pytest.approx(duration, abs=0.05)
