# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Text to directions in CLIP's space: prompt templates, their mean, and the difference of two prompts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError, shown
from ppstyleclip.translation import is_chinese, to_chinese, to_english
from ppstyleclip.worker import on_worker

# The 46 templates that PaddleGAN's predictor averages over.
_PADDLEGAN = tuple(
    template + "."
    for template in (
        "a bad photo of a {}",
        "a bad photo of the {}",
        "a black and white photo of the {}",
        "a blurry photo of a {}",
        "a blurry photo of the {}",
        "a bright photo of a {}",
        "a bright photo of the {}",
        "a cartoon {}",
        "a close-up photo of a {}",
        "a close-up photo of the {}",
        "a cropped photo of a {}",
        "a cropped photo of the {}",
        "a dark photo of a {}",
        "a dark photo of the {}",
        "a drawing of a {}",
        "a drawing of the {}",
        "a good photo of a {}",
        "a good photo of the {}",
        "a jpeg corrupted photo of a {}",
        "a low resolution photo of a {}",
        "a low resolution photo of the {}",
        "a painting of a {}",
        "a painting of the {}",
        "a photo of a clean {}",
        "a photo of a dirty {}",
        "a photo of a hard to see {}",
        "a photo of a large {}",
        "a photo of a nice {}",
        "a photo of a {}",
        "a photo of my {}",
        "a photo of the clean {}",
        "a photo of the cool {}",
        "a photo of the hard to see {}",
        "a photo of the large {}",
        "a photo of the nice {}",
        "a photo of the small {}",
        "a photo of the weird {}",
        "a photo of the {}",
        "a pixelated photo of the {}",
        "a rendering of a {}",
        "a rendering of the {}",
        "a sculpture of the {}",
        "art of a {}",
        "art of the {}",
        "graffiti of a {}",
        "graffiti of the {}",
    )
)

# What the official code has beyond those: CLIP's 80 ImageNet templates without "a photo of many {}.".
_OFFICIAL_ONLY = tuple(
    template + "."
    for template in (
        "a black and white photo of a {}",
        "a doodle of a {}",
        "a doodle of the {}",
        "a embroidered {}",
        "a jpeg corrupted photo of the {}",
        "a origami {}",
        "a photo of a cool {}",
        "a photo of a small {}",
        "a photo of a weird {}",
        "a photo of one {}",
        "a photo of the dirty {}",
        "a pixelated photo of a {}",
        "a plastic {}",
        "a plushie {}",
        "a rendition of a {}",
        "a rendition of the {}",
        "a sculpture of a {}",
        "a sketch of a {}",
        "a sketch of the {}",
        "a tattoo of a {}",
        "a tattoo of the {}",
        "a toy {}",
        "a {} in a video game",
        "itap of a {}",
        "itap of my {}",
        "itap of the {}",
        "the cartoon {}",
        "the embroidered {}",
        "the origami {}",
        "the plastic {}",
        "the plushie {}",
        "the toy {}",
        "the {} in a video game",
    )
)

# For CLIPs that read Chinese alone.
_CHINESE = (
    "{}",
    "一张{}的照片。",
    "一张{}的清晰照片。",
    "一张{}的模糊照片。",
    "一张{}的黑白照片。",
    "一张{}的特写照片。",
    "一张{}的漂亮照片。",
    "一张明亮的{}的照片。",
    "一张昏暗的{}的照片。",
    "一幅{}的画。",
    "一幅{}的素描。",
    "一座{}的雕塑。",
    "{}的图片。",
    "这是{}。",
)

TEMPLATES = {
    "paddlegan": _PADDLEGAN,
    "official": _PADDLEGAN + _OFFICIAL_ONLY,
    "plain": ("{}",),
    "chinese": _CHINESE,
}
_ENGLISH = ("paddlegan", "official")

_SMALLEST_DIFFERENCE = 1e-5  # of two unit vectors in float32; below it the direction is rounding noise


@on_worker
def text_embedding(clip: Any, prompt: str, templates: str | Sequence[str] = "paddlegan") -> np.ndarray:
    """CLIP's mean text feature of a prompt put into every template (StyleCLIP, section 6.1).

    Args:
        clip: ClipModel, or anything with its encode_text.
        prompt: what the picture shows, such as "face with gold hair".
        templates: a key of TEMPLATES, or a sequence of texts that contain "{}". For a CLIP that reads Chinese
            alone the English keys stand for "chinese".
    Returns:
        `[D]` float32 unit vector: each feature normalised, their mean, normalised again.
    Raises:
        UserError: the prompt is empty or too long for CLIP, or the templates are unknown.
    """
    templates, (prompt,) = _templates(templates, clip), _told(clip, prompt)
    return _embedding(clip, prompt, templates)


def _embedding(clip, prompt, templates) -> np.ndarray:
    features = clip.encode_text([template.format(prompt) for template in templates])
    features = np.asarray(features.numpy(), np.float64)  # [templates, D]
    mean = (features / np.linalg.norm(features, axis=1, keepdims=True)).mean(axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


@on_worker
def text_direction(
    clip: Any, neutral: str, target: str, *, templates: str | Sequence[str] = "paddlegan"
) -> np.ndarray:
    """The direction in CLIP's space from one description to another: dt (StyleCLIP, section 6.1).

    Args:
        clip: ClipModel.
        neutral: what the picture shows now, such as "face".
        target: what it should show, such as "happy face".
        templates: as in text_embedding.
    Returns:
        dt `[D]` float32 unit vector, `embedding(target) - embedding(neutral)` normalised.
    Raises:
        UserError: a prompt is empty or too long, or both say the same.

    Examples:
        >>> from ppstyleclip.text import text_direction
        >>> from ppstyleclip.zoo import load_bundle
        >>> text_direction(load_bundle().clip, "face", "happy face").shape
        (128,)
    """
    templates, (neutral, target) = _templates(templates, clip), _told(clip, neutral, target)
    check_texts(clip, neutral, target)
    difference = _embedding(clip, target, templates) - _embedding(clip, neutral, templates)
    if np.linalg.norm(difference) < _SMALLEST_DIFFERENCE:
        raise _SameTexts(neutral, target)
    return difference / np.linalg.norm(difference)


def check_texts(clip: Any, neutral: str, target: str) -> None:
    """Refuse what text_direction would, so far as the words alone tell it; CLIP computes nothing.

    Raises:
        UserError: a prompt is empty, or both are the same words.
    """
    neutral, target = (_in_its_language(clip, _clean(text))[0] for text in (neutral, target))
    if neutral.lower() == target.lower():
        raise _SameTexts(neutral, target)


class _SameTexts(UserError):
    """Two texts have no direction between them."""

    def __init__(self, neutral: str, target: str) -> None:
        super().__init__(
            f"neutral {neutral!r} and target {target!r} say the same to CLIP; the edit goes from "
            "one to the other, so describe the change in the target"
        )


def text_warnings(clip: Any, *texts: str) -> list[str]:
    """List what text_embedding warns of with a text, or text_direction with a neutral and a target.

    Args:
        clip: ClipModel.
        texts: one, or two.
    Returns:
        lines: a text is in a language that the CLIP does not read; it never saw some words. None where it
        knows all words.
    Raises:
        UserError: a text is empty.
    """
    told, lines = zip(*(_in_its_language(clip, _clean(text)) for text in texts))
    lines += (unknown_words_line(clip, *told),)
    return [line for line in lines if line is not None]


def unknown_words_line(clip: Any, *texts: str) -> str | None:
    """Name the words that a CLIP of few words never saw; what they do is chance.

    Whatever takes a text comes here: by text_warnings, or by itself where it has CLIP encode a text without
    text_embedding and text_direction.

    Args:
        clip: ClipModel; another encoder of texts is taken to know all words.
        texts: what it is told.
    Returns:
        a line for a warning; None where it knows all words.
    """
    unknown = unknown_words(clip, *texts)
    if not unknown:
        return None
    words, said = clip.describe_unknown(unknown), shown(" -> ".join(texts))
    return f"the CLIP of '{clip.name}' never saw {words}; what {said} then does is chance"


def unknown_words(clip: Any, *texts: str) -> list[str]:
    """Words of some texts that a CLIP never saw, each once; none for an encoder that says nothing of them."""
    find = getattr(clip, "unknown_words", None)
    return [] if find is None else list(dict.fromkeys(word for text in texts for word in find(text)))


def _told(clip: Any, *prompts: str) -> list[str]:
    """Prompts as the CLIP can read them; warnings say what it cannot make of them."""
    for line in text_warnings(clip, *prompts):
        warnings.warn(line, stacklevel=4)
    return [_in_its_language(clip, _clean(prompt))[0] for prompt in prompts]


def _in_its_language(clip: Any, prompt: str) -> tuple[str, str | None]:
    """A prompt as the CLIP can read it, and a line for a warning where that is not as it was.

    One that reads English alone is told the table's words for Chinese ones, and the other way round.
    """
    languages = getattr(clip, "languages", ())
    if len(languages) != 1 or is_chinese(prompt) == (languages == ("zh",)):
        return prompt, None
    name, translate = ("English", to_english) if languages == ("en",) else ("Chinese", to_chinese)
    translated = translate(prompt)
    if translated is None:
        return prompt, (
            f"the CLIP of '{clip.name}' reads {name} alone, and the table of common attributes does not have "
            f"'{prompt}'; write it in {name}"
        )
    return (
        translated,
        f"the CLIP of '{clip.name}' reads {name} alone; '{prompt}' is told to it as '{translated}'",
    )


def _clean(prompt):
    if not isinstance(prompt, str) or not prompt.strip():
        raise UserError(f"a prompt must be a non-empty text, got {prompt!r}; say what to show")
    return " ".join(prompt.split())


def _templates(templates, clip=None):
    if isinstance(templates, str):
        if templates in _ENGLISH and getattr(clip, "languages", ()) == ("zh",):
            templates = "chinese"
        if templates not in TEMPLATES:
            raise UserError(f"unknown templates {templates!r}; known: {', '.join(TEMPLATES)}")
        return TEMPLATES[templates]
    bad = [template for template in templates if "{}" not in template]
    if bad or not templates:
        raise UserError(f"templates must each contain {{}}, got {bad[0] if bad else 'none at all'!r}")
    return tuple(templates)
