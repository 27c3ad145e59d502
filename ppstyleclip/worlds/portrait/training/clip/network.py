# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The PyTorch twin of paddleclip's CLIP: the same arrays by name, shape and meaning, the same features.

Its table of tokens holds only those that prompts of the vocabulary may have; `rows_of` finds a token's row.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from functools import lru_cache

import numpy as np

from ppstyleclip.errors import UserError, shown
from ppstyleclip.models.clip_tokens import tokenize
from ppstyleclip.models.clip_words import vocabulary_tokens
from ppstyleclip.models.configs import ClipConfig
from ppstyleclip.schema import from_value
from ppstyleclip.worlds.portrait.captions.vocabulary import vocabulary
from ppstyleclip.worlds.portrait.training import checkpoint
from ppstyleclip.worlds.portrait.training.exported import CLIP, OTHER, read_exported
from ppstyleclip.worlds.portrait.training.network import F, nn, torch

CONFIG = {
    "name": "portrait",
    "embed_dim": 128,
    "image_size": 96,
    "vision_layers": (2, 2, 2, 2),
    "vision_width": 16,  # bfloat16 on a CPU is twice as fast where channels come in sixteens
    "vision_patch_size": None,
    "context_length": 77,
    "transformer_width": 128,
    "transformer_heads": 4,
    "transformer_layers": 3,
}
TABLE = "token_embedding.weight"
COMMAND = "python -m ppstyleclip.worlds.portrait.training.clip"
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
EXPANSION = 4  # of a bottleneck
INITIAL_SCALE = math.log(10.0)


@lru_cache(maxsize=1)
def token_ids() -> np.ndarray:
    """Sorted ids of every token that a prompt may hold; 0, the padding, among them."""
    return np.array(sorted({0, *vocabulary_tokens(vocabulary())}), np.int64)


def rows_of(texts) -> np.ndarray:
    """`[N, T]` rows of the token table for prompts of known words; others get a row of another token."""
    tokens = tokenize(list(texts))
    return np.searchsorted(token_ids(), tokens).clip(max=len(token_ids()) - 1)


class Linear(nn.Module):
    """`x @ W + b`; W is `[in, out]`, as Paddle keeps it."""

    def __init__(self, inputs, outputs, std):
        super().__init__()
        self.weight = nn.Parameter(std * torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return F.linear(x, self.weight.t(), self.bias)


class BatchNorm(nn.Module):
    """Batch norm whose statistics have Paddle's names."""

    def __init__(self, channels, start=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), start))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("_mean", torch.zeros(channels))
        self.register_buffer("_variance", torch.ones(channels))

    def forward(self, x):
        return F.batch_norm(x, self._mean, self._variance, self.weight, self.bias, self.training, 0.05, 1e-5)


class Attention(nn.Module):
    def __init__(self, width, heads, outputs=None, std=None):
        super().__init__()
        std = std or width**-0.5
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj = (Linear(width, width, std) for _ in range(3))
        self.out_proj = Linear(width, outputs or width, std)

    def split(self, x):
        """`[N, T, W]` to `[N, heads, T, W / heads]`."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def forward(self, query, x, causal=False):
        """Attention written out: on a CPU the fused one's gradient takes ten times as long on short rows."""
        parts = self.q_proj(query), self.k_proj(x), self.v_proj(x)
        q, k, v = (self.split(part) for part in parts)
        scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5  # [N, heads, T, T']
        if causal:
            scores = scores + torch.full(scores.shape[2:], float("-inf"), dtype=scores.dtype).triu(1)
        mixed = scores.softmax(-1).to(v.dtype) @ v
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """Residual attention block; causal in the text transformer."""

    def __init__(self, width, heads, layers):
        super().__init__()
        self.attn = Attention(width, heads)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        mlp = [("c_fc", Linear(width, 4 * width, (2 * width) ** -0.5)), ("gelu", QuickGELU())]
        self.mlp = nn.Sequential(
            OrderedDict([*mlp, ("c_proj", Linear(4 * width, width, (2 * width * layers) ** -0.5))])
        )
        with torch.no_grad():
            self.attn.out_proj.weight.mul_((2 * layers) ** -0.5)

    def forward(self, x, causal=False):
        h = self.ln_1(x)
        x = x + self.attn(h, h, causal)
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads):
        super().__init__()
        self.resblocks = nn.ModuleList([Block(width, heads, layers) for _ in range(layers)])

    def forward(self, x, causal=False):
        for block in self.resblocks:
            x = block(x, causal)
        return x


def conv(before, after, side, stride=1):
    return nn.Conv2d(before, after, side, stride, padding=side // 2, bias=False)


class Bottleneck(nn.Module):
    def __init__(self, before, planes, stride=1):
        super().__init__()
        after = planes * EXPANSION
        self.conv1, self.bn1 = conv(before, planes, 1), BatchNorm(planes)
        self.conv2, self.bn2 = conv(planes, planes, 3), BatchNorm(planes)
        self.conv3, self.bn3 = conv(planes, after, 1), BatchNorm(after, 0.0)
        self.stride = stride
        self.downsample = None
        if stride > 1 or before != after:
            self.downsample = nn.Sequential(conv(before, after, 1), BatchNorm(after))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        if self.stride > 1:
            x, y = F.avg_pool2d(x, self.stride), F.avg_pool2d(y, self.stride)
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class AttentionPool(nn.Module):
    """Attention of the mean over all places to the places; out comes the embedding."""

    def __init__(self, side, width, heads, outputs):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(side**2 + 1, width) / width**0.5)
        self.attn = Attention(width, heads, outputs)

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(1, keepdim=True), x], 1) + self.positional_embedding
        return self.attn(x[:, :1], x)[:, 0]


class ResNet(nn.Module):
    """CLIP's ResNet: a stem of three convolutions, four stages, attention in place of a mean."""

    def __init__(self, layers, width, side, outputs):
        super().__init__()
        half = width // 2
        for n, (before, after) in enumerate(((3, half), (half, half), (half, width)), 1):
            setattr(self, f"conv{n}", conv(before, after, 3, 2 if n == 1 else 1))
            setattr(self, f"bn{n}", BatchNorm(after))
        before = width
        for stage, depth in enumerate(layers):
            planes = width * 2**stage
            blocks = [Bottleneck(before, planes, 2 if stage else 1)]
            blocks += [Bottleneck(planes * EXPANSION, planes) for _ in range(depth - 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            before = planes * EXPANSION
        self.attnpool = AttentionPool(side // 32, before, width * 32 // 64, outputs)

    def forward(self, x):
        x = x.contiguous(memory_format=torch.channels_last)
        for n in (1, 2, 3):
            x = F.relu(getattr(self, f"bn{n}")(getattr(self, f"conv{n}")(x)))
        x = F.avg_pool2d(x, 2)
        for stage in (1, 2, 3, 4):
            x = getattr(self, f"layer{stage}")(x)
        return self.attnpool(x)


class VisionTransformer(nn.Module):
    def __init__(self, layers, width, side, patch, outputs):
        super().__init__()
        std = width**-0.5
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(std * torch.randn(width))
        self.positional_embedding = nn.Parameter(std * torch.randn((side // patch) ** 2 + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, width // 64)
        self.proj = nn.Parameter(std * torch.randn(width, outputs))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(x))[:, 0]) @ self.proj


def network_config(changes):
    """CONFIG with some values changed.

    Raises:
        UserError: a name is unknown, or a value cannot be.
    """
    unknown = [name for name in changes if name not in CONFIG]
    if unknown:
        raise UserError(f"--config: {shown(unknown[0])} is unknown; known: {', '.join(CONFIG)}")
    config = {**CONFIG, **changes}
    from_value(ClipConfig, {**config, "vocab_size": len(token_ids())}, "--config", field="config")
    if isinstance(config["vision_layers"], int) and config["vision_patch_size"] is None:
        raise UserError("--config: a vision transformer needs vision_patch_size, such as 16")
    return config


class Clip(nn.Module):
    """CLIP with a table of the used tokens only."""

    def __init__(self, config=None):
        super().__init__()
        self.config = c = network_config(config or {})
        parts = c["vision_layers"], c["vision_width"], c["image_size"]
        if isinstance(c["vision_layers"], int):
            self.visual = VisionTransformer(*parts, c["vision_patch_size"], c["embed_dim"])
        else:
            self.visual = ResNet(*parts, c["embed_dim"])
        width = c["transformer_width"]
        self.transformer = Transformer(width, c["transformer_layers"], c["transformer_heads"])
        self.token_embedding = nn.Embedding(len(token_ids()), width)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(c["context_length"], width))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(width**-0.5 * torch.randn(width, c["embed_dim"]))
        self.logit_scale = nn.Parameter(torch.tensor([INITIAL_SCALE]))
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def encode_pixels(self, pixels):
        """Features `[N, D]`, not normalised, of RGB in [0, 1], `[N, 3, S, S]`."""
        return self.visual((pixels - self.mean) / self.std).float()

    def encode_rows(self, rows):
        """Features `[N, D]`, not normalised, of rows of the token table `[N, T]`."""
        x = self.token_embedding(rows) + self.positional_embedding[: rows.shape[1]]
        x = self.transformer(x, causal=True)
        x = x[torch.arange(len(rows)), rows.argmax(1)]  # the end token has the last row of the table
        return (self.ln_final(x) @ self.text_projection).float()


def load_exported(path) -> Clip:
    """Build the network of a file that `export` wrote.

    Raises:
        MissingFile: there is no such file.
        UserError: it is no CLIP, or one of another vocabulary or structure.
    """
    arrays, stated = read_exported(path, CLIP)
    config = from_value(ClipConfig, stated.config, path, field="config")
    clip = Clip({name: getattr(config, name) for name in CONFIG})
    known, rows = (np.asarray(arrays.pop(name, [-1])) for name in ("token_ids", TABLE))
    if not np.isin(known, token_ids()).all() or rows.shape != (len(known), clip.config["transformer_width"]):
        raise UserError(f"{path} knows other words than this recipe; fit one with it: {COMMAND}")
    state = {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}
    table = clip.token_embedding.weight.detach().clone()
    table[np.searchsorted(token_ids(), known)] = torch.from_numpy(np.asarray(rows, np.float32))
    checkpoint.put(clip, {**state, TABLE: table}, path, OTHER)
    return clip
