# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The parts of the page that Gradio has no component for, as HTML in one of the page's languages."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from urllib.parse import quote

ASSETS = Path(__file__).parent / "assets"
Words = dict[str, str]
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" '
    'fill="#d9553a"/><path d="M16 5v22" stroke="#fff" stroke-width="2.5"/><circle cx="16" cy="16" r="6" '
    'fill="none" stroke="#fff" stroke-width="2.5"/></svg>'
)

# Drawn for this page; 20 units wide, in strokes of the text's colour.
_ICONS = {
    "undo": "M7 5 3 9l4 4M3.5 9H12a4.5 4.5 0 0 1 0 9H9",
    "redo": "m13 5 4 4-4 4M16.5 9H8a4.5 4.5 0 0 0 0 9h3",
    "compare": "M10 3v14M4 5h3.5M4 15h3.5M4 5v10M16 5h-3.5M16 15h-3.5M16 5v10",
    "sheet": "M3 3h14v14H3zM3 7.7h14M3 12.3h14M7.7 3v14M12.3 3v14",
    "save": "M10 3v9m-4-4 4 4 4-4M4 16.5h12",
    "link": "M8.5 11.5a3 3 0 0 0 4.2 0l3-3a3 3 0 0 0-4.2-4.2L10 5.8m1.5 2.7a3 3 0 0 0-4.2 0l-3 3a3 3 0 0 0 "
    "4.2 4.2l1.5-1.5",
    "reset": "M4 10a6 6 0 1 0 2-4.5M6 2v4h4",
    "theme": "M10 3a7 7 0 1 0 7 7 5.5 5.5 0 0 1-7-7z",
    "photo": "M3 5h3l1.5-2h5L14 5h3v11H3zM10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
    "lock": "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
}


def icon(name: str) -> str:
    """One of the page's icons."""
    return f'<svg viewBox="0 0 20 20" aria-hidden="true"><path d="{_ICONS[name]}"/></svg>'


def _button(
    action: str, words: Words, name: str = "", *, shown: str = "", title: str = "", kind: str = ""
) -> str:
    label = escape(words[shown or name or action])
    hint = escape(words[title]) if title else label
    drawn = icon(name) if name in _ICONS else ""
    return (
        f'<button type="button" class="pp-button {kind}" data-do="{action}" title="{hint}" '
        f'aria-label="{hint}">{drawn}<span>{label}</span></button>'
    )


def _escaped(words: Words) -> Words:
    return {name: escape(word) for name, word in words.items()}


def header(words: Words, other: str) -> str:
    """The bar above the page; `other` is the language that it links to."""
    w = _escaped(words)
    return f"""
<div class="pp-header">
  <div class="pp-name"><i class="pp-mark" aria-hidden="true"></i>
    <b>ppstyleclip</b><span>{w["studio"]}</span></div>
  <p class="pp-private">{icon("lock")}<span>{w["private"]}</span></p>
  <div class="pp-switches">
    <button type="button" class="pp-button pp-plain" data-do="theme" title="{w["theme"]}"
      aria-label="{w["theme"]}">{icon("theme")}</button>
    <a class="pp-button pp-plain" data-do="language" href="../{other}/" hreflang="{other}"
      lang="{other}">{w["language"]}</a>
  </div>
</div>"""


def stage(words: Words) -> str:
    """The picture and what is done with it."""
    w = _escaped(words)
    tools = [
        _button("undo", words, "undo"),
        _button("redo", words, "redo"),
        _button("reset", words, "reset"),
        '<i class="pp-gap"></i>',
        _button("compare", words, "compare", title="compare_hint"),
        _button("sheet", words, "sheet", title="sheet_hint"),
        '<i class="pp-gap"></i>',
        _button("link", words, "link"),
        _button("save", words, "save", kind="pp-strong"),
    ]
    return f"""
<div class="pp-stage" data-view="face" tabindex="0" aria-label="{w["picture"]}">
  <div class="pp-frame">
    <img class="pp-after" alt="{w["after"]}" draggable="false">
    <img class="pp-before" alt="{w["before"]}" draggable="false">
    <i class="pp-mask"></i>
    <canvas class="pp-canvas" width="256" height="256" hidden></canvas>
    <i class="pp-line"><i></i></i>
    <input class="pp-wipe" type="range" min="0" max="100" value="0" step="1"
      aria-label="{w["wipe"]}">
    <b class="pp-tag pp-tag-before">{w["before"]}</b>
    <b class="pp-tag pp-tag-after">{w["after"]}</b>
    <div class="pp-views" hidden role="group">
      {_button("view_face", words, kind="pp-plain")}
      {_button("in_photo", words, shown="view_photo", kind="pp-plain")}
      {_button("save_photo", words, kind="pp-plain")}
    </div>
    <div class="pp-paint" hidden>
      <label>{w["brush_size"]}<input class="pp-size" type="range" min="4" max="60" value="20"></label>
      {_button("clear", words, shown="brush_clear", kind="pp-plain")}
    </div>
    <div class="pp-photo" hidden>
      <div class="pp-fit"><img alt="" draggable="false"><div class="pp-boxes"></div></div></div>
    <div class="pp-camera" hidden><video playsinline muted></video>
      <div>{_button("capture", words, "photo", shown="capture", kind="pp-strong")}
        {_button("uncamera", words, shown="close")}</div></div>
    <div class="pp-sheet" hidden></div>
    <div class="pp-busy" hidden><span></span><progress max="1" value="0"></progress>
      {_button("stop", words)}</div>
    <div class="pp-drop" hidden>{icon("photo")}</div>
  </div>
  <div class="pp-tools" role="toolbar">{"".join(tools)}</div>
  <p class="pp-say" role="status" aria-live="polite"></p>
</div>"""


def faces(words: Words) -> str:
    """Where faces come from."""
    w = _escaped(words)
    return f"""
<div class="pp-panel pp-faces">
  <h2>{w["photo"]}</h2>
  <div class="pp-open">
    {_button("choose", words, "photo", shown="choose", kind="pp-strong")}
    {_button("camera", words, shown="webcam")}
    <p>{w["drop"]}</p>
    <input class="pp-file" type="file" accept="image/png,image/jpeg,image/webp" hidden
      aria-label="{w["choose"]}">
    <input class="pp-session-file" type="file" accept="application/json,.json" hidden
      aria-label="{w["open_session"]}">
  </div>
  <h2>{w["faces"]}</h2>
  <div class="pp-seeds" role="listbox" aria-label="{w["faces"]}">
    <p class="pp-none">{w["stage_pictures"]}</p></div>
  <div class="pp-more">{_button("more", words, kind="pp-plain")}
    <label>{w["seed"]} <input class="pp-seed" type="number" min="0" max="4294967295" inputmode="numeric">
    </label></div>
  <div class="pp-session">{_button("save_session", words, kind="pp-plain")}
    {_button("open_session", words, kind="pp-plain")}</div>
  <p class="pp-keys">{w["keys"]}</p>
</div>"""


def examples(words: Words, texts: tuple[tuple[str, str], ...]) -> str:
    """Texts that a click fills in."""
    chips = "".join(
        f'<button type="button" class="pp-chip" data-do="example" data-neutral="{escape(neutral)}" '
        f'data-target="{escape(target)}">{escape(target)}</button>'
        for neutral, target in texts
    )
    return f'<div class="pp-examples" role="group" aria-label="{escape(words["examples"])}">{chips}</div>'


def edit_buttons(words: Words) -> str:
    """What is done with the edit that the fields describe."""
    return f"""
<div class="pp-do">
  {_button("auto", words, title="auto_hint", kind="pp-only-direction")}
  {_button("run", words, kind="pp-only-optimise pp-strong")}
  {_button("accept", words, kind="pp-accept")}
</div>"""


def results(words: Words) -> str:
    """The list of edits, the card, and the session's file."""
    w = _escaped(words)
    return f"""
<div class="pp-panel pp-results">
  <h2>{w["card"]}</h2>
  <div class="pp-card"></div>
  <h2>{w["edits"]}</h2>
  <ol class="pp-steps"></ol>
</div>"""


def head(words: Words, usual: dict[str, float]) -> str:
    """What stands in the page's head: its words, and the script."""
    values = json.dumps({"words": words, "usual": usual}, ensure_ascii=False).replace("<", "\\u003c")
    script = (ASSETS / "studio.js").read_text(encoding="utf-8")
    return (
        f'<link rel="icon" href="data:image/svg+xml,{quote(LOGO)}">'
        '<meta name="color-scheme" content="light dark">'
        f'<script id="pp-words" type="application/json">{values}</script><script>{script}</script>'
    )


def style() -> str:
    """The page's own style."""
    return (ASSETS / "studio.css").read_text(encoding="utf-8")
