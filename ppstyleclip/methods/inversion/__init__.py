# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From pictures to what draws them.

encoder.py     one pass of a network, or ReStyle's several (pSp, e4e, ReStyle)
fitting.py     latents by Adam until they draw the picture (Image2StyleGAN, PaddleGAN's fitting)
projection.py  one w by Adam, StyleGAN2's noise pictures beside it (StyleGAN2's projector, seed 004's)
tuning.py      the generator's weights around a latent that stays (PTI)
distances.py   what fitting and tuning make small: interchangeable layers of one signature
"""

from ppstyleclip.methods.inversion.distances import Distance, LpipsDistance, PlainDistance, VggDistance
from ppstyleclip.methods.inversion.encoder import EncoderStep, inversion_steps, invert
from ppstyleclip.methods.inversion.fitting import FittingConfig, FittingLoss, fit_latents, latent_fitter
from ppstyleclip.methods.inversion.projection import ProjectionConfig, project
from ppstyleclip.methods.inversion.tuning import TuningConfig, TuningStep, tune_generator

__all__ = [
    "Distance",
    "EncoderStep",
    "FittingConfig",
    "FittingLoss",
    "LpipsDistance",
    "PlainDistance",
    "ProjectionConfig",
    "TuningConfig",
    "TuningStep",
    "VggDistance",
    "fit_latents",
    "inversion_steps",
    "invert",
    "latent_fitter",
    "project",
    "tune_generator",
]
