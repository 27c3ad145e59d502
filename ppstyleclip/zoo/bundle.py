# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What an edit needs, as one value: generator, layout, statistics, relevance, CLIP, and defaults."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Callable

import numpy as np

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.schema import Between, OneOf, Ratio, check_fields, check_name
from ppstyleclip.stylespace import UNITS, StyleRegression, as_relevance
from ppstyleclip.text import TEMPLATES
from ppstyleclip.worker import is_worker, on_worker

GETF = "ppstyleclip statistics"
EXTRACT = "ppstyleclip relevance"
TUNED_FROM = "tuned_from"  # fingerprint of the generator that a tuned one began as


@dataclass(frozen=True)
class EditDefaults:
    """How strong an edit is where its words do not say.

    Attributes:
        alpha: strength.
        beta: channels with |relevance @ dt| below it are left alone.
        unit: what alpha counts, one of stylespace.UNITS.
        templates: prompt templates, a key of text.TEMPLATES.
        pull: how far a step leans towards how the population differs, 0 to 1.
        truncation: psi of sampled faces and of the statistics, 0 to 1; 1 where every z gives a good face.
        within: how many deviations from its mean, those of its side (see stylespace.sides_of), an edit may
            bring a style channel; 0, the paper's, sets no limit.
    Raises:
        UserError: a value is out of range.
    """

    alpha: Annotated[float, Between(-1000, 1000)] = 5.0
    beta: Annotated[float, Between(0, 100)] = 0.12
    unit: Annotated[str, OneOf(UNITS)] = "style"
    templates: Annotated[str, OneOf(TEMPLATES)] = "paddlegan"
    pull: Ratio = 0.0
    truncation: Ratio = 0.7
    within: Annotated[float, Between(0, 1000)] = 0.0

    def __post_init__(self) -> None:
        check_fields(self)


# Of a generator whose relevance is one's own, or that has none: the paper's, in units that any channel has.
OWN_DEFAULTS = EditDefaults(alpha=4.0, beta=0.15, unit="sigma", templates="official")


@dataclass(frozen=True)
class Deferred:
    """A part of a bundle that is loaded when it is first asked for.

    Attributes:
        load: called once, on the worker.
        fetch: called before it, in the thread that asks, unless that is the worker: whatever brings files,
            for which nobody who draws should wait.
    """

    load: Callable[[], Any]
    fetch: Callable[[], Any] | None = None


def _nothing():
    return None


@dataclass(frozen=True, eq=False, repr=False)
class Bundle:
    """Parts that belong together. Any may be given as Deferred; sampling alone then needs no CLIP file.

    Attributes:
        name: the model's name; it becomes a part of files' names.
        generator: StyleGANv2Generator, in evaluation mode.
        layout: its StyleLayout.
        stats: StyleStats, mean and deviation `[S]`.
        relevance: Relevance `[E, D]`; an array is taken for its rows.
        clip: ClipModel with embeddings `[D]`.
        defaults: EditDefaults.
        fingerprints: `{"generator": ..., "clip": ...}` where known; 16 hexadecimal digits each.
        s_base: `[N, S]` the styles on which relevance was measured, or None.
        latents: `[N, L, D]` a few faces (w_plus), or None.
        encoder: zoo.Encoder of this generator, or None.
        identity: network with `identity_features`, which tells who is in a picture of this model's kind, or
            None.
        face_models: paths of a landmark predictor and of a face detector (or None: dlib's own), for pictures
            of this model's kind.
        crop: align.CropWeights, by which faces are cut out of photos; None for FFHQ's crop.
        directions: `{name: [L, D] or [1, D]}` in w_plus, or None.
        finds_own_faces: face_models are of the faces that this model draws, and no photographs'.
    Raises:
        UserError: a name that is a path; statistics or relevance of another generator, relevance of another
            CLIP, raised when the part is loaded, which for a Deferred one is later.
    """

    name: str
    generator: Any
    layout: Any
    stats: Any
    relevance: Any
    clip: Any
    defaults: EditDefaults = field(default_factory=EditDefaults)
    fingerprints: dict = field(default_factory=dict)
    s_base: Any = field(default_factory=_nothing)
    latents: Any = field(default_factory=_nothing)
    encoder: Any = field(default_factory=_nothing)
    identity: Any = field(default_factory=_nothing)
    face_models: Any = field(default_factory=_nothing)
    crop: Any = field(default_factory=_nothing)
    directions: Any = field(default_factory=_nothing)
    finds_own_faces: bool = False

    def __post_init__(self):
        values = self.__dict__
        check_name("this model", self.name)
        waiting = {name: values.pop(name) for name in list(values) if isinstance(values[name], Deferred)}
        values["_deferred"] = waiting
        self._take_rows()
        for name in ("stats", "relevance"):
            self._check(name)

    def __getattr__(self, name):  # only asked for what is not in __dict__
        if name not in self.__dict__.get("_deferred", {}):
            raise AttributeError(name)
        fetch = self._deferred[name].fetch
        if fetch is not None and not is_worker():
            fetch()
        return self._load(name)

    @on_worker  # where one load ends before the next begins, so that a part is loaded once
    def _load(self, name):
        if name in self.__dict__:
            return self.__dict__[name]
        self.__dict__[name] = self._deferred[name].load()
        self._take_rows()
        try:
            self._check(name)
        except UserError:
            del self.__dict__[name]
            raise
        return self.__dict__[name]

    def _take_rows(self) -> None:
        relevance = self.__dict__.get("relevance")
        if relevance is not None:
            self.__dict__["relevance"] = as_relevance(relevance)

    @property
    def regression(self) -> StyleRegression | None:
        """The StyleRegression that the relevance brings; None without one, or without relevance."""
        with contextlib.suppress(MissingFile):
            return None if self.relevance is None else self.relevance.regression
        return None

    @property
    def strength(self) -> np.ndarray | None:
        """Effect norm `[E]` of the relevance, over ten deviations, or None; ask the relevance for it."""
        message = "Bundle.strength goes with the next release; use bundle.relevance.effect_norm_over(10.0)"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return self.relevance.effect_norm_over(10.0)

    def with_parts(self, **parts) -> Bundle:
        """Make a bundle with some parts replaced; Deferred ones stay unloaded.

        A new generator, such as methods.inversion.tune_generator's, does not keep the fingerprint of the old.
        """
        own = {part.name: self._deferred.get(part.name) or self.__dict__[part.name] for part in fields(self)}
        if "generator" in parts:
            marks = self.fingerprints
            own["fingerprints"] = {name: marks[name] for name in marks if name != "generator"}
        return Bundle(**{**own, **parts})

    def _check(self, name):
        loaded = self.__dict__
        if name == "stats" and loaded.get("stats") is not None:
            check_stats(loaded["stats"], self.layout, self.name)
        if name in ("relevance", "clip") and loaded.get("relevance") is not None:
            check_relevance(loaded["relevance"], self.layout, self.name)
            if loaded.get("clip") is not None:
                check_clip(loaded["clip"], loaded["relevance"])


def check_stats(stats, layout, name: str) -> None:
    """Refuse statistics of another generator."""
    for word, values in stats.arrays().items():
        values = np.asarray(values)
        if values.shape != (layout.size,):
            raise UserError(
                f"statistics ({word}) have shape {list(values.shape)}, generator '{name}' has "
                f"{layout.size} style channels; rebuild them with: {GETF}"
            )


def check_relevance(relevance, layout, name: str) -> None:
    """Refuse relevance of another generator."""
    shape = np.shape(relevance)
    if len(shape) != 2 or shape[0] != layout.num_editable:
        rows = f"{shape[0]} rows" if len(shape) == 2 else f"shape {list(shape)}"
        raise UserError(
            f"relevance has {rows}{_prefix_note(shape, layout)}, generator '{name}' has "
            f"{layout.num_editable} editable channels; rebuild it with: {EXTRACT}"
        )


def check_clip(clip, relevance) -> None:
    """Refuse relevance that was made with a CLIP of another width."""
    if relevance.shape[1] != clip.dim:
        raise UserError(
            f"relevance has {relevance.shape[1]} columns, CLIP '{clip.name}' gives {clip.dim} "
            f"features; name the CLIP that it was made with, or rebuild it with: {EXTRACT}"
        )


def _prefix_note(shape, layout) -> str:
    # The official script stops at 128 px; such files hold the first layers only.
    ends = np.cumsum([width for width, editable in zip(layout.channels, layout.editable) if editable])
    if len(shape) == 2 and shape[0] in ends[:-1]:
        return f" (only the first {int(np.searchsorted(ends, shape[0])) + 1} of {len(ends)} layers)"
    return ""
