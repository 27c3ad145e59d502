# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The studio's pages on the server's application: /studio/en/ and /studio/zh/, and a way there from /."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.records import Record
from ppstyleclip.server.guard import route_path
from ppstyleclip.server.model import Model
from ppstyleclip.server.problems import Receive, Send, problem
from ppstyleclip.server.service import Service
from ppstyleclip.server.settings import ServerSettings
from ppstyleclip.server.work import warm_methods
from ppstyleclip.studio import markup
from ppstyleclip.studio.actions import Actions
from ppstyleclip.studio.handlers import Handlers
from ppstyleclip.studio.words import LANGUAGES, preferred, words_in

PLACE = "/studio"
# A page may load from this server and nowhere else; Gradio itself needs the two that are called unsafe.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
)

# What the pages ask of Gradio. The rest stays shut: uploads to the disk, files, proxies, histories.
_API = (
    r"gradio_api/(?:app_id|startup-events|info|theme\.css|heartbeat/\w+|queue/(?:join|data)|run/\w+|cancel)"
)
OPEN = re.compile(
    rf"{PLACE}/(?:(?:{'|'.join(LANGUAGES)})/(?:config|theme\.css|(?:assets|static|svelte)/.+|{_API})?/?)?"
)


class Studio:
    """A model, and the pages on which it is played with.

    Args:
        settings: of the server.
        model: Model, loaded.
        service: Service; None makes one of this model.
    Raises:
        UserError: the server has API keys, which a page cannot send.
    """

    def __init__(self, settings: ServerSettings, model: Model, service: Service | None = None):
        if settings.api_keys:
            raise UserError(
                "the studio is a page without keys; take api_keys out of its settings, and let a proxy in "
                "front of it ask who comes"
            )
        self.settings, self.model = settings, model
        self.service = service or Service(settings, load=lambda _: model, warm=self._warm)
        self.handlers = Handlers(model, self.service.store)

    def _warm(self, model: Model, everything: bool) -> Iterator[Record[Any]]:
        """Compile what a slider needs, then what the server's jobs need."""
        self.handlers.warm()
        yield Record(1, 1, "pictures")
        if everything:
            yield from warm_methods(model, everything)

    def mount(self, app: FastAPI) -> None:
        """Put the pages on an application of server.create_app."""
        # Before Gradio is imported: it would ask its makers for news otherwise.
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        import gradio as gr

        from ppstyleclip.studio.page import build_page, theme

        actions = Actions(self.handlers)
        for language in LANGUAGES:
            path = f"{PLACE}/{language}"
            page = build_page(actions, language)
            gr.mount_gradio_app(
                app,
                page,
                path=path,
                root_path=f"{self.settings.root_path}{path}" if self.settings.root_path else None,
                theme=theme(),
                css=markup.style(),
                head=markup.head(words_in(language), self.handlers.usual()),
                footer_links=[],
                run_history=False,
                show_error=False,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                enable_monitoring=False,
                max_file_size=self.settings.upload_bytes,
            )
        for path in ("/", PLACE, f"{PLACE}/"):
            app.add_api_route(path, _to_page, methods=["GET"], include_in_schema=False)
        app.add_api_route("/favicon.ico", _icon, methods=["GET"], include_in_schema=False)
        app.add_middleware(Front)


async def _to_page(request: Request) -> RedirectResponse:
    """Go to the page in the browser's language; relative, for a proxy may show the server below any path."""
    language = preferred(request.headers.get("accept-language", ""))
    here = "" if request.url.path.endswith(f"{PLACE}/") else "studio/"
    return RedirectResponse(f"{here}{language}/", status_code=302)


async def _icon() -> Response:
    return Response(markup.LOGO, media_type="image/svg+xml")


class Front:
    """ASGI middleware that shuts what the pages do not need, and lets them load nothing from elsewhere."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection."""
        path = route_path(scope)
        if scope["type"] != "http" or not path.startswith(f"{PLACE}/"):
            return await self.app(scope, receive, send)
        if not OPEN.fullmatch(path):
            return await problem(404, "the studio has no such place")(scope, receive, send)  # type: ignore[arg-type]

        async def with_policy(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                more = [
                    (b"content-security-policy", POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                ]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self.app(scope, receive, with_policy)
