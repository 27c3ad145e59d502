# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a picture with words, in PaddlePaddle: StyleGAN2's style space, CLIP, and StyleCLIP's methods."""

import zlib  # noqa: F401  before Paddle: the zlib symbols that Paddle 2.6 exports crash Python's own

__version__ = "0.1.0"
__all__ = ["Edit", "Editor", "Session"]


def __getattr__(name):
    """Import the editor, and Paddle on all cores with it, when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from ppstyleclip import editor

    return getattr(editor, name)
