# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""CLIP (Radford et al. 2021): an adapter over paddleclip's network, for pictures in [-1, 1] and prompts."""

from __future__ import annotations

import math
import zlib  # noqa: F401  before Paddle: see clip_tokens
from collections import OrderedDict
from functools import cached_property

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from ppstyleclip.errors import UserError, shown
from ppstyleclip.models.chinese_clip import ChineseClipNet, text_pieces
from ppstyleclip.models.clip_parameters import clip_parameters
from ppstyleclip.models.clip_tokens import import_paddleclip, prompt_words, tokenize
from ppstyleclip.models.clip_words import describe_unknown, knows_chinese, unknown_words, vocabulary_tokens
from ppstyleclip.models.configs import BERT, ClipConfig
from ppstyleclip.models.parameters import ParameterSpec, build_unset, parameter_specs
from ppstyleclip.models.state import as_arrays, check_state, load_state
from ppstyleclip.ops.bicubic import resize_centre_crop
from ppstyleclip.schema import Plain, from_value
from ppstyleclip.worker import on_worker

__all__ = [
    "CLIP_CONFIGS",
    "ClipModel",
    "build_clip",
    "build_clip_with_state",
    "clip_state",
    "import_paddleclip",
    "load_clip_state",
    "prompt_words",
    "tokenize",
]

MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's own, of RGB in [0, 1]
STD = (0.26862954, 0.26130258, 0.27577711)
INITIAL_LOGIT_SCALE = math.log(1.0 / 0.07)  # CLIP paper, section 2.5
_CACHED_PROMPTS = 4096
_TEXT_BATCH = 256
_TABLE = "token_embedding.weight"


def _config(name, embed_dim, image_size, layers, width, patch, text_width, heads):
    return {
        "name": name,
        "embed_dim": embed_dim,
        "image_size": image_size,
        "vision_layers": layers,
        "vision_width": width,
        "vision_patch_size": patch,
        "context_length": 77,
        "vocab_size": 49408,
        "transformer_width": text_width,
        "transformer_heads": heads,
        "transformer_layers": 12,
    }


CLIP_CONFIGS = {
    "ViT_B_32": _config("ViT_B_32", 512, 224, 12, 768, 32, 512, 8),
    "RN50": _config("RN50", 1024, 224, (3, 4, 6, 3), 64, None, 512, 8),
    "RN101": _config("RN101", 512, 224, (3, 4, 23, 3), 64, None, 512, 8),
    "RN50x4": _config("RN50x4", 640, 288, (4, 6, 10, 6), 80, None, 640, 10),
}


class _Remembered:
    """Features of prompts, and what tells the text projection that they were computed with."""

    def __init__(self):
        self.features, self.weights = OrderedDict(), None


class ClipModel(nn.Layer):
    """A CLIP (`self.net`, paddleclip's or a ChineseClipNet) behind pictures in [-1, 1] and plain prompts.

    Built by build_clip. Attributes: `name`; `dim`, the embedding's D; `image_size`, the side in pixels that
    the network sees; `vocabulary`, a frozenset of the lower-case words seen in training, or None when every
    word is welcome; `languages`, "en", "zh" or both: what it was trained to read.
    Text features are remembered per prompt until the text projection changes, by training or by loading."""

    def __init__(self, net, config):
        super().__init__()
        self.net = net
        self._config = dict(config)
        words = config.get("vocabulary")
        self.vocabulary = None if words is None else frozenset(prompt_words(" ".join(words)))
        self._pieces = text_pieces(config) if config.get("text") == BERT else None
        if self._pieces is not None:
            self.languages: tuple[str, ...] = ("zh",)
        else:
            self.languages = ("en", "zh") if knows_chinese(self.vocabulary or ()) else ("en",)
        self.name, self.dim, self.image_size = config["name"], config["embed_dim"], config["image_size"]

    def config(self):
        """The dict from which build_clip makes the same network; values that JSON can hold."""
        words = None if self.vocabulary is None else sorted(self.vocabulary)
        return {**self._config, "vocabulary": words}

    @property
    def logit_scale(self):
        """The parameter `[1]` whose exponential multiplies the cosines in the contrastive loss."""
        return self.net.logit_scale

    def encode_image(self, images):
        """Image features; differentiable.

        Args:
            images: Tensor `[N, 3, H, W]`, RGB in [-1, 1] (clamped, as in a saved picture), of any size: the
                shorter side is resized to `image_size` as Pillow's bicubic does, then the centre is cut.
        Returns:
            Tensor `[N, D]` float32, not normalised.
        Raises:
            ValueError: not a batch of three-channel pictures."""
        if len(images.shape) != 4 or images.shape[1] != 3:
            raise ValueError(f"images have shape {list(images.shape)}, expected [N, 3, H, W]")
        images = images if images.dtype == paddle.float32 else images.astype("float32")
        pixels = paddle.clip(paddle.scale(images, 0.5, 0.5), 0.0, 1.0)
        return self.encode_pixels(resize_centre_crop(pixels, self.image_size))

    def encode_pixels(self, pixels):
        """Image features `[N, D]` of RGB in [0, 1] that has the network's size, `[N, 3, S, S]`."""
        mean = paddle.to_tensor(MEAN, dtype="float32").reshape([1, 3, 1, 1])
        std = paddle.to_tensor(STD, dtype="float32").reshape([1, 3, 1, 1])
        return self.encode_view((pixels - mean) / std)

    def encode_view(self, view):
        """Image features `[N, D]` of what the network itself is given, `[N, 3, S, S]`.

        Of a transformer's last block only the class token is read, so only that is computed: a fifteenth of
        the arithmetic of ViT-B/32 less, the same result."""
        visual = self.net.visual
        if not hasattr(visual, "transformer"):
            return visual(view)  # a ResNet
        x = _patches(view, visual.conv1.weight)
        width = x.shape[2]
        first = visual.class_embedding + paddle.zeros([x.shape[0], 1, width])
        x = visual.ln_pre(paddle.concat([first, x], axis=1) + visual.positional_embedding)
        *blocks, last = visual.transformer.resblocks
        for block in blocks:
            x = block(x)
        h, x = last.ln_1(x), x[:, :1]
        x = x + last.attn(h[:, :1], h, h)
        x = x + last.mlp(last.ln_2(x))
        return paddle.matmul(visual.ln_post(x.reshape([-1, width])), visual.proj)

    def tokenize(self, texts):
        """Tokens `[N, T]` of prompts for this CLIP's text side, the context cut to the longest; errors as
        encode_text."""
        texts = [texts] if isinstance(texts, str) else list(texts)
        return tokenize(texts) if self._pieces is None else self._pieces.tokenize(texts)

    def encode_tokens(self, tokens):
        """Text features of tokens; differentiable, nothing is remembered.

        CLIP's attention is causal, so tokens behind the end token change nothing and the context may be cut
        there; BERT's is masked.

        Args:
            tokens: `[N, T]` int64 Tensor or array from tokenize; T at most the network's context (77).
        Returns:
            Tensor `[N, D]` float32, not normalised.
        Raises:
            ValueError: wrong shape or a too long context."""
        tokens = paddle.to_tensor(np.asarray(tokens, np.int64)) if not paddle.is_tensor(tokens) else tokens
        net, limit = self.net, self.net.context_length
        if len(tokens.shape) != 2 or tokens.shape[1] > limit:
            raise ValueError(f"tokens have shape {list(tokens.shape)}, expected [N, T], T at most {limit}")
        if self._pieces is not None:
            return net.encode_tokens(tokens)
        length = tokens.shape[1]
        x = net.token_embedding(tokens) + net.positional_embedding[:length]  # [N, T, width]
        mask = paddle.to_tensor(np.triu(np.full([length, length], -np.inf, np.float32), 1))
        for block in net.transformer.resblocks:
            h = block.ln_1(x)
            x = x + block.attn(h, h, h, attn_mask=mask)
            x = x + block.mlp(block.ln_2(x))
        end = tokens.argmax(axis=-1)  # the end token has the largest id
        is_end = F.one_hot(end, length).unsqueeze(1)  # [N, 1, T]; programs of any batch can be made of it
        return net.ln_final(paddle.matmul(is_end, x).squeeze(1)) @ net.text_projection

    @on_worker
    def encode_text(self, texts):
        """Text features of prompts, without gradients, remembered per prompt.

        Args:
            texts: list of prompts, or one; each at most 75 byte-pair tokens (50 word pieces of a
                Chinese-CLIP).
        Returns:
            Tensor `[N, D]` float32, not normalised.
        Raises:
            UserError: no prompt, an empty one or a too long one."""
        texts = [texts] if isinstance(texts, str) else list(texts)
        cache = self._text_cache()
        missing = [text for text in dict.fromkeys(texts) if text not in cache]
        if missing or not texts:
            cache.update(zip(missing, self._encode_prompts(missing)))
        features = paddle.to_tensor(np.stack([cache[text] for text in texts]))
        for text in texts:
            cache.move_to_end(text)
        while len(cache) > _CACHED_PROMPTS:
            cache.popitem(last=False)
        return features

    @cached_property
    def _remembered(self):
        """A property, as no attribute may be in the key of a program that was compiled with this network."""
        return _Remembered()

    def _text_cache(self):
        weights, known = hash(self.net.text_projection.numpy().tobytes()), self._remembered
        if weights != known.weights:
            known.features, known.weights = OrderedDict(), weights
        return known.features

    @paddle.no_grad()
    def _encode_prompts(self, texts):
        tokens = self.tokenize(texts)
        starts = range(0, len(tokens), _TEXT_BATCH)
        return np.concatenate([self.encode_tokens(tokens[i : i + _TEXT_BATCH]).numpy() for i in starts])

    def unknown_words(self, text):
        """The words of a text that this CLIP never saw in training; [] when `vocabulary` is None."""
        return [] if self.vocabulary is None else unknown_words(text, self.vocabulary)

    def describe_unknown(self, words):
        """Unknown words for a message, each with the known ones that are most like it."""
        return describe_unknown(words, self.vocabulary or ())


def _patches(view, kernel):
    """What conv1 makes of each patch, `[N, patches, width]`; as a product of matrices, which is faster."""
    width, colours, side, _ = kernel.shape
    count = view.shape[2] // side
    x = view.reshape([-1, colours, count, side, count, side]).transpose([0, 2, 4, 1, 3, 5])
    return paddle.matmul(
        x.reshape([-1, count * count, colours * side * side]), kernel.reshape([width, -1]), transpose_y=True
    )


class _LayerNorm(nn.LayerNorm):
    """Layer norm whose gradient is right where the weights' own is not asked for.

    There Paddle 2.6.2 and 3.3.1 on a CPU take the weights for ones. Compiled programs are right as they are.
    """

    def forward(self, x):
        if x.stop_gradient or not paddle.in_dynamic_mode():
            return F.layer_norm(x, self._normalized_shape, self.weight, self.bias, self._epsilon)
        return F.layer_norm(x, self._normalized_shape, epsilon=self._epsilon) * self.weight + self.bias


@on_worker
def build_clip(config):
    """Build a CLIP with fresh random weights, in evaluation mode.

    Args:
        config: a key of CLIP_CONFIGS, or a dict with paddleclip's constructor arguments: embed_dim,
            image_size (or image_resolution), vision_layers (an int for a ViT, four for a ResNet),
            vision_width, vision_patch_size, transformer_width, transformer_heads, transformer_layers;
            optionally context_length (77), vocab_size (49408), name, vocabulary (list of words). With text
            "bert" also pieces (list of word pieces), positions and hidden, as in Bert: a Chinese-CLIP.
            paddleclip gives a ViT vision_width // 64 heads, so its width is a multiple of 64.
    Returns:
        ClipModel.
    Raises:
        UserError: unknown name, or keys missing, unknown or contradicting each other.
        MissingExtra: see import_paddleclip."""
    config = _checked_config(config)
    if config.get("text") == BERT:
        net = ChineseClipNet(config)
    else:
        ours = ("name", "vocabulary", "image_size", "text")
        arguments = {key: value for key, value in config.items() if key not in ours}
        net = import_paddleclip().CLIP(image_resolution=config["image_size"], **arguments)
    for layer in net.sublayers():
        if isinstance(layer, nn.LayerNorm):
            layer.__class__ = _LayerNorm
    nn.initializer.Constant(INITIAL_LOGIT_SCALE)(net.logit_scale)
    model = ClipModel(net, config)
    model.eval()
    return model


def _checked_config(config):
    if isinstance(config, str):
        if config not in CLIP_CONFIGS:
            raise UserError(f"unknown CLIP {shown(config)}; known: {', '.join(CLIP_CONFIGS)}")
        config = CLIP_CONFIGS[config]
    config = from_value(dict[str, Plain], config, "this CLIP", field="config")
    config = {"name": "custom", "context_length": 77, "vocab_size": 49408, "vocabulary": None, **config}
    if "image_resolution" in config:
        size = config.pop("image_resolution")
        if config.setdefault("image_size", size) != size:
            raise UserError(f"image_resolution is {size}, image_size {config['image_size']}; give one")
    from_value(ClipConfig, config, "this CLIP", field="config")
    patch, width, layers = config["vision_patch_size"], config["vision_width"], config["vision_layers"]
    if isinstance(layers, int):
        if width % 64:
            raise UserError(
                f"vision_width is {width}; paddleclip's ViT has vision_width // 64 heads, "
                "so it must be a multiple of 64"
            )
        if not isinstance(patch, int) or patch < 1 or config["image_size"] % patch:
            raise UserError(f"vision_patch_size {patch} does not divide image_size {config['image_size']}")
    if config["transformer_width"] % config["transformer_heads"]:
        raise UserError(
            f"transformer_heads {config['transformer_heads']} does not divide "
            f"transformer_width {config['transformer_width']}"
        )
    return config


@on_worker
def clip_state(model, token_ids=None):
    """The weights of a CLIP with only the used rows of the token table.

    Args:
        model: ClipModel.
        token_ids: which rows to keep; None keeps those of the model's vocabulary, of digits, of punctuation
            and of the start and end tokens; where the model has no vocabulary, every row that is not zero.
    Returns:
        Dict of arrays under paddleclip's keys; "token_embedding.weight" has the rows `[R, width]` and
        "token_ids" `[R]` int32 says, in rising order, which tokens they belong to."""
    state = {key: np.asarray(value.numpy()) for key, value in model.net.state_dict().items()}
    if _TABLE not in state:
        return state
    if token_ids is None and model.vocabulary is not None:
        token_ids = vocabulary_tokens(model.vocabulary)
    if token_ids is None:
        token_ids = np.flatnonzero(np.abs(state[_TABLE]).max(axis=1))
    token_ids = np.unique(np.asarray(token_ids, np.int32))
    return {**state, _TABLE: state[_TABLE][token_ids], "token_ids": token_ids}


@on_worker
def load_clip_state(model, state):
    """Put weights into a CLIP: those of clip_state, or a whole state dict such as paddleclip publishes.

    Rows of the token table that are not stored become zero.

    Args:
        model: ClipModel of the same structure.
        state: dict of arrays; any float type, converted to float32.
    Raises:
        UserError: a key is missing, left over or of another shape, or token_ids does not fit the table; up to
            three keys are named, and the model is left as it was."""
    what = f"CLIP {model.name!r}"
    load_state(model.net, _checked_arrays(parameter_specs(model.net), state, what), what)


@on_worker
def build_clip_with_state(config, state):
    """Build a CLIP for weights that are there; names and shapes are compared before it is made.

    Args:
        config: as in build_clip.
        state: as in load_clip_state.
    Returns:
        ClipModel, in evaluation mode.
    Raises:
        UserError: as build_clip and load_clip_state.
    """
    config = _checked_config(config)
    arrays = _checked_arrays(clip_parameters(config), state, f"CLIP {config['name']!r}")
    model = build_unset(lambda: build_clip(config))
    load_clip_state(model, arrays)
    return model


def _checked_arrays(specs, state, what):
    """The arrays of a state, with every row of the token table; those that are not stored are zeros."""
    arrays = as_arrays(state)
    if "logit_scale" in arrays and arrays["logit_scale"].size == 1:
        arrays["logit_scale"] = arrays["logit_scale"].reshape([1])  # a scalar in OpenAI's files
    token_ids = arrays.pop("token_ids", None)
    if token_ids is None or _TABLE not in arrays or _TABLE not in specs:
        check_state(specs, arrays, what)
        return arrays
    vocab_size, width = specs[_TABLE].shape
    _check_token_ids(arrays[_TABLE], token_ids, vocab_size)
    stored = {_TABLE: ParameterSpec((token_ids.size, width), _TABLE)}
    check_state({**specs, **stored}, arrays, what)  # before the whole table takes memory
    table = np.zeros([vocab_size, width], np.float32)
    table[token_ids] = arrays[_TABLE]
    return {**arrays, _TABLE: table}


def _check_token_ids(rows, token_ids, vocab_size):
    fits = (
        token_ids.ndim == 1
        and token_ids.dtype.kind in "iu"
        and rows.shape[:1] == token_ids.shape
        and np.unique(token_ids).size == token_ids.size
        and (token_ids.size == 0 or 0 <= token_ids.min() <= token_ids.max() < vocab_size)
    )
    if not fits:
        raise UserError(
            f"token_ids {list(token_ids.shape)} do not fit token rows {list(rows.shape)} of a "
            f"table of {vocab_size} rows; the file is damaged or belongs to another CLIP"
        )
