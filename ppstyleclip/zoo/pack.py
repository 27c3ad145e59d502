# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A bundle as a folder of safetensors, each with its fingerprints inside; only the generator must be there.

generator.safetensors     weights; config, name, fingerprint
statistics.safetensors    mean, std; fingerprint of the generator
styles.safetensors        s of some faces, on which relevance is measured; fingerprint of the generator
relevance.safetensors     relevance, strength; fingerprints of both networks, CLIP's name, defaults
clip.safetensors          weights, used token rows; config, vocabulary, fingerprint; a published one else
latents.safetensors       w_plus of a few faces; fingerprint of the generator
encoder.safetensors       from pictures to w_plus; config, fingerprint of the generator
encoder_NAME.safetensors  another one, which is asked for by its name
identity.safetensors      from pictures to who is in them; config, fingerprint
directions.safetensors    named directions in w_plus; fingerprint of the generator
crop.safetensors          how faces are cut out by their landmarks; FFHQ's crop else
landmarks.dat             dlib's predictor for pictures of this kind; that of photographs is fetched else
face_detector.svm         dlib's detector likewise
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ppstyleclip.files import all_or_nothing, write_safetensors
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.bundle import EditDefaults
from ppstyleclip.zoo.clips import save_clip
from ppstyleclip.zoo.directions import save_relevance, save_stats, save_styles
from ppstyleclip.zoo.generators import save_generator, stored

GENERATOR, CLIP, STATISTICS, STYLES, RELEVANCE, LATENTS, ENCODER, IDENTITY = (
    f"{part}.safetensors"
    for part in ("generator", "clip", "statistics", "styles", "relevance", "latents", "encoder", "identity")
)
CROP = "crop.safetensors"
LANDMARKS, DETECTOR = "landmarks.dat", "face_detector.svm"


@on_worker
@all_or_nothing()
def save_pack(
    folder,
    *,
    generator,
    clip,
    stats,
    relevance,
    strength=None,
    latents=None,
    s_base=None,
    defaults: EditDefaults | None = None,
    vocabulary=None,
    half: bool = False,
    name: str = "portrait",
) -> dict:
    """Write a model as a folder that load_pack reads.

    Args:
        folder: where; made if need be.
        generator, clip: the networks.
        stats: StyleStats `[S]`.
        relevance: Relevance, or its rows `[E, D]`.
        strength: effect norm `[E]` of rows, or None.
        latents: `[N, L, D]` w_plus of a few faces.
        s_base: `[N, S]` the styles on which relevance was measured.
        defaults: EditDefaults.
        vocabulary: words that the CLIP knows; None keeps the model's own.
        half: store both networks, the rows of relevance and latents as float16; statistics and styles, by
            whose fingerprints relevance says what it was measured with, stay float32.
        name: the model's name.
    Returns:
        the fingerprints `{"generator": ..., "clip": ...}` of what load_pack will read back.
    """
    folder = Path(folder)
    generator_mark = save_generator(folder / GENERATOR, generator, name=name, half=half)
    clip_mark = save_clip(folder / CLIP, clip, vocabulary=vocabulary, half=half)
    layout = json.dumps(generator.layout.to_config())
    save_stats(folder / STATISTICS, stats, generator=generator_mark, layout=layout)
    save_relevance(
        folder / RELEVANCE,
        relevance,
        strength,
        generator=generator_mark,
        clip=clip_mark,
        clip_name=clip.name,
        defaults=defaults,
        half=half,
    )
    if s_base is not None:
        save_styles(folder / STYLES, s_base, generator=generator_mark, layout=layout)
    if latents is not None:
        save_latents(folder / LATENTS, latents, generator=generator_mark, half=half)
    return {"generator": generator_mark, "clip": clip_mark}


def save_latents(path, w_plus, *, generator: str, half: bool = False) -> None:
    """Write w_plus `[N, L, D]` of a few faces; where all layers have the same w, it is stored once.

    Args:
        path: the file.
        w_plus: the latents.
        generator: fingerprint of the one that draws them.
        half: store float16.
    """
    w_plus = np.asarray(w_plus, np.float32)
    w_plus = w_plus[:, :1] if (w_plus == w_plus[:, :1]).all() else w_plus  # `[N, 1, D]`, as files have w
    arrays = stored({"w_plus": w_plus}, half)
    write_safetensors(path, arrays, {"kind": "ppstyleclip latents", "generator": generator})
