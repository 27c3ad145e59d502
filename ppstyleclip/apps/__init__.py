# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What integrators of PaddleGAN import: the same class names, arguments and output files."""

from importlib import import_module

from ppstyleclip.threads import import_paddle

_HOMES = {
    "Pixel2Style2PixelPredictor": "ppstyleclip.apps.pixel2style2pixel_predictor",
    "StyleGANv2EditingPredictor": "ppstyleclip.apps.styleganv2editing_predictor",
    "StyleGANv2FittingPredictor": "ppstyleclip.apps.styleganv2fitting_predictor",
    "StyleGANv2MixingPredictor": "ppstyleclip.apps.styleganv2mixing_predictor",
    "StyleGANv2Predictor": "ppstyleclip.apps.styleganv2_predictor",
    "StyleGANv2ClipPredictor": "ppstyleclip.apps.styleganv2clip_predictor",
}
DEFAULT_SEED = 58  # of the face that is edited when no latent is given
__all__ = ["DEFAULT_SEED", *_HOMES]


def __getattr__(name):
    """Import a predictor, and Paddle on all cores with it, when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    import_paddle()
    return getattr(import_module(_HOMES[name]), name)
