# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The page in Gradio: fields, the parts of markup.py, and which of actions.py each event calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

from ppstyleclip.regions import NAMES
from ppstyleclip.studio import markup
from ppstyleclip.studio.actions import Actions
from ppstyleclip.studio.handlers import MOST_STEPS, News, Visit
from ppstyleclip.studio.session import METHODS
from ppstyleclip.studio.words import EXAMPLES, words_in

FIELDS = ("method", "neutral", "target", "alpha", "beta", "share", "regions", "mapper")
KEPT_SECONDS = 2 * 3600  # that a page's visit is kept after its last word
MOST_WAITING = 64  # long actions, of all visits
MOST_VISITS = 32  # that are kept at once; the one that was silent for longest goes
_FONTS = (
    "-apple-system",
    "BlinkMacSystemFont",
    "Segoe UI",
    "Roboto",
    "Noto Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "sans-serif",
)


def theme() -> gr.themes.Base:
    """Gradio's own colours and letters, brought near to those of studio.css; nothing is fetched."""
    return gr.themes.Base(font=_FONTS, font_mono=("ui-monospace", "Menlo", "Consolas", "monospace"))


def build_page(actions: Actions, language: str) -> gr.Blocks:
    """Build the page in one language.

    Args:
        actions: Actions.
        language: one of words.LANGUAGES.
    """
    words, other = words_in(language), "zh" if language == "en" else "en"
    model = actions.handlers.model
    defaults = model.editor.bundle.defaults
    with gr.Blocks(title=words["title"], analytics_enabled=False, fill_width=True) as page:
        visit = gr.State(None, time_to_live=KEPT_SECONDS)
        gr.HTML(markup.header(words, other), elem_id="pp-top", js_on_load=None, apply_default_css=False)
        with gr.Row(elem_id="pp-main"):
            with gr.Column(elem_id="pp-left", min_width=0):
                gr.HTML(markup.faces(words), js_on_load=None, apply_default_css=False)
            with gr.Column(elem_id="pp-centre", min_width=0):
                stage = gr.HTML(
                    {},
                    html_template=markup.stage(words),
                    js_on_load="window.ppStudio.mount(element, props, trigger, watch)",
                    elem_id="pp-stage",
                    apply_default_css=False,
                )
                card = gr.HTML(
                    {},
                    html_template="<i></i>",
                    js_on_load="window.ppStudio.mountCard(element, props, trigger, watch)",
                    elem_id="pp-measure",
                )
            with gr.Column(elem_id="pp-right", min_width=0):
                with gr.Column(elem_id="pp-edit", min_width=0):
                    takers = [name for name, mapper in model.mappers.items() if mapper.takes_text]
                    fields = _fields(words, language, defaults, list(model.mappers), takers)
                gr.HTML(markup.results(words), js_on_load=None, apply_default_css=False)
        inputs, outputs = [visit, *fields.values()], [visit, stage, *fields.values()]

        def quick(event: gr.EventData, now: Visit | None, *values: Any) -> list[Any]:
            sent = _event(event)
            return _outputs(*actions.quick(now, sent.get("action"), sent.get("value"), _sent(values, sent)))

        def long(event: gr.EventData, now: Visit | None, *values: Any) -> Iterator[list[Any]]:
            sent = _event(event)
            for answer in actions.long(now, sent.get("action"), sent.get("value"), _sent(values, sent)):
                yield _outputs(*answer)

        def measure(event: gr.EventData, now: Visit | None) -> News:
            return actions.measure(now, _event(event).get("of"))

        hidden: dict[str, Any] = {
            "show_progress": "hidden",
            "trigger_mode": "multiple",
            "api_visibility": "private",
        }
        stage.select(quick, inputs, outputs, queue=False, **hidden)
        stage.submit(long, inputs, outputs, concurrency_limit=4, **hidden)
        stage.stop(actions.stop, [visit], None, queue=False, **hidden)
        card.select(measure, [visit], [card], queue=False, **hidden)
        link = gr.Textbox(visible=False)
        page.load(
            lambda text: _outputs(*actions.begin(text)),
            [link],
            outputs,
            js="() => [window.location.hash]",
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )
    page.queue(max_size=MOST_WAITING, api_open=False)
    page.state_session_capacity = MOST_VISITS
    return page


def _event(event: gr.EventData) -> dict[str, Any]:
    """What the page's script has sent with an event."""
    return event._data if isinstance(event._data, dict) else {}


def _sent(values: tuple[Any, ...], sent: dict[str, Any]) -> dict[str, Any]:
    """The fields by name; the brush, the words of an example come with the event."""
    more = sent.get("fields")
    return {**dict(zip(FIELDS, values)), **(more if isinstance(more, dict) else {})}


def _outputs(visit: Visit, news: News) -> list[Any]:
    """Visit, what is shown, and those fields that have changed."""
    changed = news.pop("fields", {})
    return [visit, news, *(changed.get(name, gr.skip()) for name in FIELDS)]


def _fields(
    words: dict[str, str], language: str, defaults: Any, mappers: list[str], takers: list[str]
) -> dict[str, Any]:
    """The fields of an edit, by name; `takers` are those mappers that take a text."""
    methods = [(words[name], name) for name in METHODS if name != "mapper" or mappers]
    alpha, beta = float(defaults.alpha), float(defaults.beta)
    try_out = "() => window.ppStudio.tryOut()"
    made: dict[str, Any] = {}
    made["method"] = gr.Radio(methods, value="direction", label=words["method"], elem_id="pp-method")
    made["mapper"] = gr.Dropdown(
        mappers, value=mappers[0] if mappers else None, label=words["name"], elem_id="pp-mapper"
    )
    with gr.Row(elem_id="pp-texts"):
        made["neutral"] = gr.Textbox(
            EXAMPLES[language][0][0], label=words["neutral"], elem_id="pp-neutral", max_lines=1
        )
        made["target"] = gr.Textbox(
            "", label=words["target"], elem_id="pp-target", max_lines=1, placeholder=EXAMPLES[language][0][1]
        )
    gr.HTML(markup.examples(words, EXAMPLES[language]), js_on_load=None, apply_default_css=False)
    made["alpha"] = gr.Slider(
        -3 * alpha, 3 * alpha, alpha, step=alpha / 50, label=words["alpha"], elem_id="pp-alpha"
    )
    made["beta"] = gr.Slider(0, max(0.5, 4 * beta), beta, step=0.005, label=words["beta"], elem_id="pp-beta")
    made["share"] = gr.Slider(-2, 3, 1, step=0.05, label=words["share"], elem_id="pp-share")
    steps = gr.Slider(5, MOST_STEPS, 40, step=5, label=words["steps"], elem_id="pp-steps-number")
    regions = [(words[name], name) for name in NAMES]
    regions += [(words["region_auto"], "auto"), (words["brush"], "brush")]
    made["regions"] = gr.CheckboxGroup(regions, label=words["regions"], elem_id="pp-regions")
    gr.HTML(markup.edit_buttons(words), js_on_load=None, apply_default_css=False)
    hidden: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    for name in ("alpha", "beta", "share"):
        made[name].release(None, None, None, js=try_out, **hidden)
    for name in ("neutral", "target"):
        made[name].submit(None, None, None, js=try_out, **hidden)
    made["regions"].input(None, [made["regions"]], None, js="(r) => window.ppStudio.regions(r)", **hidden)
    takes_text = f"(name) => window.ppStudio.takesText({json.dumps(takers)}.includes(name))"
    made["mapper"].change(None, [made["mapper"]], None, js=takes_text, **hidden)
    made["method"].change(None, [made["mapper"]], None, js=takes_text, **hidden)
    made["method"].change(None, [made["method"]], None, js="(m) => window.ppStudio.method(m)", **hidden)
    made["mapper"].input(None, None, None, js=try_out, **hidden)
    steps.release(None, [steps], None, js="(n) => window.ppStudio.steps(n)", **hidden)
    return {name: made[name] for name in FIELDS}
