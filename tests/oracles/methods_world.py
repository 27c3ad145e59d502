# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The small world in which make_methods.py ran the peers' loops, and in which tests run ours."""

import numpy as np
from seeded_weights import seeded_z

SIZE, STYLE_DIM, CHANNELS, LAYERS = 64, 24, 10, 10
STYLE_DIMS = [CHANNELS] * 14
CLIP = {
    "embed_dim": 16,
    "image_resolution": 14,
    "vision_layers": 2,
    "vision_width": 64,
    "vision_patch_size": 7,
    "context_length": 6,
    "vocab_size": 20,
    "transformer_width": 64,
    "transformer_heads": 1,
    "transformer_layers": 1,
}
TEXTS = ("curly hair", "Elsa from Frozen", "pink hair")
FACE_SHAPE = (3, 8, 12)  # colours, side, and features of the stand-in for an identity network


def text_table():
    """CLIP's features of TEXTS, `[3, 16]`."""
    return seeded_z(len(TEXTS), CLIP["embed_dim"], seed=11)


def words():
    """Embedding rows of TEXTS, `[3, STYLE_DIM]`."""
    return seeded_z(len(TEXTS), STYLE_DIM, seed=12)


def face_weight():
    """The matrix of the stand-in for an identity network, `[192, 12]`."""
    colours, side, features = FACE_SHAPE
    return seeded_z(colours * side * side, features, seed=13)


def latents_of(count, seed=14):
    """w_plus `[count, LAYERS, STYLE_DIM]`."""
    return 0.5 * seeded_z(count * LAYERS, STYLE_DIM, seed).reshape(count, LAYERS, STYLE_DIM)


def mapper_batches(mode, count):
    """`count` triples (latents, text vectors or None, names of the texts) for a kind of mapper.

    "Mapper": two w_plus each, no text. "styles": two s each. Seed 000's modes: one w_plus and one text, for
    "Mapper_multi" one or two texts, whose vector is the sum.
    """
    found = []
    for step in range(count):
        if mode == "styles":
            found.append((1.0 + 0.3 * seeded_z(2, sum(STYLE_DIMS), 100 + step), None, TEXTS[:1]))
            continue
        w_plus = latents_of(2 if mode == "Mapper" else 1, 100 + step)
        chosen = [step % 3] if mode != "Mapper_multi" or step % 2 else [step % 3, (step + 1) % 3]
        text = None if mode == "Mapper" else words()[chosen].sum(axis=0, keepdims=True).astype(np.float32)
        found.append(
            (
                w_plus.astype(np.float32),
                text,
                TEXTS[:1] if mode == "Mapper" else tuple(TEXTS[k] for k in chosen),
            )
        )
    return found
