# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a picture with words, in PaddlePaddle: StyleGAN2's style space, CLIP, and StyleCLIP's methods."""

from __future__ import annotations

import zlib  # noqa: F401  before Paddle: the zlib symbols that Paddle 2.6 exports crash Python's own

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would cost a tenth of a start
if TYPE_CHECKING:
    from typing import Any

    from ppstyleclip.editor import Edit, Editor, ResolvedEdit, Session
    from ppstyleclip.zoo.by_name import available_models, load_generator

__version__ = "0.1.0"
__all__ = ["Edit", "Editor", "ResolvedEdit", "Session", "available_models", "load_generator"]
_WITHOUT_PADDLE = ("available_models",)


def __getattr__(name: str) -> Any:
    """Import a name, and Paddle on all cores with it, when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    if name not in _WITHOUT_PADDLE:
        from ppstyleclip.threads import import_paddle

        import_paddle()
    if name in ("available_models", "load_generator"):
        from ppstyleclip.zoo import by_name

        return getattr(by_name, name)
    from ppstyleclip import editor

    return getattr(editor, name)


def __dir__() -> list[str]:
    """List the public names beside those that are there already."""
    return sorted({*globals(), *__all__})
