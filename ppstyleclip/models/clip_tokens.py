# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""CLIP's words: the byte-pair tokens of prompts, and the door to the package paddleclip.

paddleclip installs a top-level module called `clip`. It is imported only when a model is built or a prompt is
tokenised, so that everything else works without it."""

from __future__ import annotations

import importlib
import importlib.util
import re
import zlib  # before Paddle is imported: the zlib symbols that Paddle 2.6 exports break Python's own
from functools import lru_cache
from pathlib import Path

import numpy as np

from ppstyleclip.errors import MissingExtra, UserError

MAX_PROMPT_TOKENS = 75  # the context of 77 less the start and the end token
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def find_paddleclip():
    """Path of paddleclip's module `clip`, which is not imported.

    Raises:
        MissingExtra: nothing called `clip` is installed, or it is another package (OpenAI's has that
            name too); the message has the cure."""
    spec = importlib.util.find_spec("clip")
    if spec is None or spec.origin is None:
        raise MissingExtra("CLIP needs the package paddleclip, which is absent; run: pip install paddleclip")
    if "paddle" not in Path(spec.origin).read_text(encoding="utf-8", errors="replace"):
        raise MissingExtra(
            f"the module `clip` at {spec.origin} is not paddleclip's (OpenAI's clip has the same name); run: "
            "pip uninstall -y clip openai-clip && pip install --force-reinstall --no-deps paddleclip"
        )
    return Path(spec.origin)


def import_paddleclip():
    """paddleclip's module `clip`.

    Raises:
        MissingExtra: as find_paddleclip, or one of paddleclip's own requirements is missing."""
    find_paddleclip()
    try:
        return importlib.import_module("clip")
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"paddleclip needs the package {error.name}, which is absent; run: pip install {error.name}"
        ) from error
    except zlib.error as error:
        raise MissingExtra(
            "paddleclip's word list cannot be unpacked, as Paddle 2.6 was imported before "
            "Python's zlib; import ppstyleclip before paddle"
        ) from error


@lru_cache(maxsize=1)
def _tokenizer():
    return import_paddleclip().tokenizer


@lru_cache(maxsize=8192)
def prompt_tokens(text):
    """Byte-pair tokens of one prompt with CLIP's start and end tokens around them.

    Args:
        text: the prompt; at most 75 byte-pair tokens.
    Returns:
        Tuple of ints.
    Raises:
        UserError: the prompt is empty or too long."""
    if not isinstance(text, str) or not text.strip():
        raise UserError(f"a prompt must be a non-empty text, got {text!r}; say what to show")
    tokenizer = _tokenizer()
    tokens = tokenizer.encode(text)
    if len(tokens) > MAX_PROMPT_TOKENS:
        raise UserError(
            f"the prompt {text[:40]!r}... has {len(tokens)} tokens, CLIP reads at most "
            f"{MAX_PROMPT_TOKENS}; shorten it"
        )
    return (tokenizer.encoder["<|startoftext|>"], *tokens, tokenizer.encoder["<|endoftext|>"])


def tokenize(texts):
    """Tokens of several prompts, the context cut to the longest of them.

    Args:
        texts: a list of prompts, or one.
    Returns:
        `[N, T]` int64 array, T at most 77, padded with 0 behind the end token.
    Raises:
        UserError: no prompt at all, or one is empty or over 75 tokens."""
    rows = [prompt_tokens(text) for text in ([texts] if isinstance(texts, str) else texts)]
    if not rows:
        raise UserError("no prompt was given; give at least one")
    tokens = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for row, values in zip(tokens, rows):
        row[: len(values)] = values
    return tokens


def prompt_words(text):
    """The lower-case words of a text, each once, in order: letters of any script, digits, apostrophes."""
    return list(dict.fromkeys(_WORD.findall(text.lower())))
