# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Chinese-CLIP (Yang et al. 2022): CLIP's vision transformer beside BERT, which reads the texts.

The text feature is the last hidden state of the first piece, [CLS], times a projection.
"""

from __future__ import annotations

from typing import Any

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppstyleclip.models.clip_tokens import import_paddleclip
from ppstyleclip.models.word_pieces import PAD, WordPieces

EPSILON = 1e-12  # of BERT's layer norms


class BertAttention(nn.Layer):
    """Self-attention among the pieces of a text, then a layer norm of the sum (post-norm)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width, epsilon=EPSILON)

    def forward(self, x, mask):
        """`[N, T, width]` from the same; mask `[N, 1, 1, T]` is added to the scores."""
        q, k, v = (self._split(layer(x)) for layer in (self.query, self.key, self.value))
        scores = paddle.matmul(q, k, transpose_y=True) * (q.shape[-1] ** -0.5) + mask  # [N, heads, T, T]
        mixed = paddle.matmul(F.softmax(scores), v).transpose([0, 2, 1, 3])
        return self.norm(x + self.dense(mixed.reshape(x.shape)))

    def _split(self, x):
        """`[N, T, width]` to `[N, heads, T, width / heads]`."""
        return x.reshape([*x.shape[:2], self.heads, -1]).transpose([0, 2, 1, 3])


class BertLayer(nn.Layer):
    """Attention and two linear layers with GELU (by erf), each followed by a layer norm of the sum."""

    def __init__(self, width: int, heads: int, hidden: int):
        super().__init__()
        self.attention = BertAttention(width, heads)
        self.rise, self.fall = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm = nn.LayerNorm(width, epsilon=EPSILON)

    def forward(self, x, mask):
        """As BertAttention."""
        x = self.attention(x, mask)
        return self.norm(x + self.fall(F.gelu(self.rise(x))))


class Bert(nn.Layer):
    """BERT's encoder without its pooler.

    Args:
        pieces: rows of the table of word pieces.
        positions: most pieces of a text that the weights have places for.
        width, heads, layers, hidden: of the transformer.
    """

    def __init__(self, pieces: int, positions: int, width: int, heads: int, layers: int, hidden: int):
        super().__init__()
        self.pieces, self.positions = nn.Embedding(pieces, width), nn.Embedding(positions, width)
        self.kinds = nn.Embedding(2, width)  # of sentences; a prompt is of the first kind
        self.norm = nn.LayerNorm(width, epsilon=EPSILON)
        self.layers = nn.LayerList([BertLayer(width, heads, hidden) for _ in range(layers)])

    def forward(self, tokens, is_padding):
        """Hidden states `[N, T, width]` of tokens `[N, T]`; `is_padding` `[N, T]` bool."""
        places = self.positions.weight[: tokens.shape[1]] + self.kinds.weight[0]
        x = self.norm(self.pieces(tokens) + places)
        mask = (is_padding.astype("float32") * -1e9).unsqueeze([1, 2])
        for layer in self.layers:
            x = layer(x, mask)
        return x


class ChineseClipNet(nn.Layer):
    """What paddleclip's network is to CLIP: `visual`, the text side, `text_projection`, `logit_scale`."""

    def __init__(self, config: dict[str, Any]):
        super().__init__()
        width, dim = config["transformer_width"], config["embed_dim"]
        vision = {
            key: config[key] for key in ("embed_dim", "vision_layers", "vision_width", "vision_patch_size")
        }
        # Of a whole CLIP with the smallest text side only the eyes are taken.
        least = {"context_length": 1, "vocab_size": 1, "transformer_width": 1}
        least.update(transformer_heads=1, transformer_layers=1)
        whole = import_paddleclip().CLIP(image_resolution=config["image_size"], **vision, **least)
        self.visual = whole.visual
        self.bert = Bert(
            config["vocab_size"],
            config["positions"],
            width,
            config["transformer_heads"],
            config["transformer_layers"],
            config["hidden"],
        )
        self.text_projection = self.create_parameter([width, dim])
        self.logit_scale = self.create_parameter([1])
        self.context_length = config["context_length"]
        self.padding = list(config["pieces"]).index(PAD)

    def encode_tokens(self, tokens):
        """Text features `[N, D]` of tokens `[N, T]`."""
        return self.bert(tokens, tokens == self.padding)[:, 0] @ self.text_projection


def text_pieces(config: dict[str, Any]) -> WordPieces:
    """What cuts the prompts of a Chinese-CLIP into pieces."""
    return WordPieces(config["pieces"], config["context_length"])
