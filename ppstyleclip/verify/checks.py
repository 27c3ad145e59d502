# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The checks of a published model, one after the other; what is missing or fails is a finding, not the end.

Bounds are wide where nobody has measured yet: they tell a right file from a wrong or damaged one, and the
numbers themselves go into the report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ppstyleclip.editor import Edit, Editor
from ppstyleclip.engine import compile_image_encoder
from ppstyleclip.errors import UserError, one_line
from ppstyleclip.formats import load_bank
from ppstyleclip.pictures import grid, to_images
from ppstyleclip.verify.known import KNOWN, Known, tensor_means
from ppstyleclip.wording import counted
from ppstyleclip.zoo import load_bundle
from ppstyleclip.zoo.downloads.checksums import compute_sha256, is_verified, read_checksums
from ppstyleclip.zoo.registry import check_model_type, fetch_published, model_entry, pack_of, read_registry

SEEDS = (0, 1, 2, 3)
EDIT = Edit("face", "smiling face")
_SAMPLES = 1000  # of w, for the spread of styles
_STATS_TOLERANCE = 0.02  # of published statistics against the known means, of the largest
_SPREAD = (0.5, 2.0)  # mean ratio of sampled to stated deviations, and spread of real faces in deviations
_FITS = 0.9  # correlation of sampled with stated means and deviations, channel by channel


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        part: what.
        state: "ok"; "odd", another number than it should be; "missing", with what brings it; "failed".
        description: what was found, with numbers.
        numbers: `{name: number}` the same for programs.
    """

    part: str
    state: str
    description: str
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Verified:
    """How far a verification is.

    Attributes:
        done, total: checks.
        stage: what comes next.
        findings: so far.
        picture: `[H, W, 3]` uint8, faces and an edit; None before they are drawn.
    """

    done: int
    total: int
    stage: str
    findings: tuple[Finding, ...] = ()
    picture: np.ndarray | None = None


def verify_model(name: str, *, known: dict[str, Known] = KNOWN) -> Iterator[Verified]:
    """Fetch a model's files, look at them, draw and edit.

    Args:
        name: of zoo.known_models().
        known: numbers by the model's name.
    Yields:
        Verified before each check, and a last one.
    Raises:
        UserError: an unknown name.
    """
    check_model_type(name)
    run = _Verification(name, known.get(name))
    checks = run.checks()
    findings: list[Finding] = []
    for done, (stage, check) in enumerate(checks):
        yield Verified(done, len(checks), stage, tuple(findings), run.picture())
        findings += _found(stage, check)
    yield Verified(len(checks), len(checks), "done", tuple(findings), run.picture())


def _found(stage: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """What a check finds up to its end, or to its error."""
    found: list[Finding] = []
    try:
        for finding in check():
            found.append(finding)
    except FileNotFoundError as error:
        found.append(Finding(stage, "missing", one_line(error, 300)))
    except Exception as error:  # a bug or a damaged file: the next check may still say something
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        found.append(Finding(stage, "failed", one_line(f"{kind}{error}", 300)))
    return found


class _Verification:
    """The checks of one model, which share what was loaded and drawn."""

    def __init__(self, name: str, known: Known | None):
        self.name, self.known = name, known
        self.is_embedded = pack_of(name) is not None
        self.entry = {} if self.is_embedded else model_entry(name)
        self.editor: Editor | None = None
        self.rows: list[np.ndarray] = []  # of the picture

    def checks(self) -> list[tuple[str, Callable[[], Iterator[Finding]]]]:
        """(what, check) in their order."""
        words = ("generator", "stats", "relevance", "directions", "encoder")
        files = [self.entry[word] for word in words if word in self.entry]
        table = read_registry()["files"]
        files += [file for file in table if table[file].get("clip") == self.entry.get("clip", "-")]
        return [
            *((file, lambda file=file: self._file(file)) for file in files),
            ("generator", self._generator),
            ("pictures", self._pictures),
            ("statistics", self._statistics),
            ("latents of photographs", self._latents),
            ("relevance and CLIP", self._relevance),
            ("encoder", self._encoder),
            ("edit", self._edit),
        ]

    def picture(self) -> np.ndarray | None:
        """Faces, and an edit below them where there is one."""
        return np.concatenate(self.rows) if self.rows else None

    @property
    def _loaded(self) -> Editor:
        if self.editor is None:
            raise UserError("the generator could not be loaded")
        return self.editor

    def _file(self, name: str) -> Iterator[Finding]:
        path = fetch_published(name)
        entry, digest = read_registry()["files"][name], compute_sha256(path)
        published = bool(entry["sha256"])
        how = (
            "its published digest"
            if published
            else "the digest of its first download"
            if name in read_checksums() or is_verified(path)
            else "no published digest"
        )
        size = path.stat().st_size
        yield Finding(
            name,
            "ok",
            f"{size:,} bytes, SHA-256 {digest[:16]}, {how}",
            {"bytes": size, "sha256": digest, "published": published},
        )

    def _generator(self) -> Iterator[Finding]:
        begin = time.perf_counter()
        self.editor = Editor(load_bundle(self.name))
        bundle = self._loaded.bundle
        layout, generator = bundle.layout, bundle.generator
        fits = self.known is None or tuple(layout.channels) == self.known.channels
        yield Finding(
            "generator",
            "ok" if fits else "odd",
            f"{generator.size} px, {counted(generator.n_latent, 'layer')} of w_plus, {layout.size} style "
            f"channels in {len(layout.channels)} tensors{'' if fits else ', others than published'}; loaded "
            f"in {time.perf_counter() - begin:.1f} s",
            {"size": generator.size, "channels": list(layout.channels), **bundle.fingerprints},
        )

    def _pictures(self) -> Iterator[Finding]:
        editor = self._loaded
        w_plus = editor.sample(SEEDS)
        faces = editor.render(w_plus)
        self.rows.append(grid(faces, len(SEEDS)))
        seconds = _seconds(lambda: editor.render(w_plus[:1]))
        images = to_images(faces)
        spread = float(images.std(axis=(1, 2, 3)).min())
        different = float(np.abs(images[1:] - images[:-1]).mean())
        cut = float((np.abs(images) > 0.999).mean())
        good = 0.1 < spread and 0.05 < different and cut < 0.5
        yield Finding(
            "pictures",
            "ok" if good else "odd",
            f"contrast {spread:.2f} or more (0.1 is little), difference of faces {different:.2f} (0.05 is "
            f"little), {100 * cut:.0f} % black or white; {seconds:.2f} s a picture",
            {"contrast": spread, "difference": different, "saturated": cut, "seconds": seconds},
        )

    def _statistics(self) -> Iterator[Finding]:
        if not self.is_embedded and "stats" not in self.entry:
            return
        editor, stats = self._loaded, self._loaded.bundle.stats
        layout = editor.bundle.layout
        if self.known is not None and self.known.mean is not None and self.known.std is not None:
            yield self._against_known(layout, stats, self.known.mean, self.known.std)
        s = editor.styles(editor.sample(range(_SAMPLES), truncation=1.0)).numpy()
        mean_fit = float(np.corrcoef(s.mean(axis=0), stats.mean)[0, 1])
        std_fit = float(np.corrcoef(s.std(axis=0), stats.std)[0, 1])
        ratio = float(np.median(s.std(axis=0) / np.maximum(stats.std, 1e-6)))
        good = min(mean_fit, std_fit) > _FITS and _SPREAD[0] < ratio < _SPREAD[1]
        yield Finding(
            "statistics and generator",
            "ok" if good else "odd",
            f"styles of {_SAMPLES} samples: means correlate by {mean_fit:.3f}, deviations by {std_fit:.3f} "
            f"({_FITS} or more), deviations are {ratio:.2f} of those stated ({_SPREAD[0]} to {_SPREAD[1]})",
            {"mean_correlation": mean_fit, "std_correlation": std_fit, "std_ratio": ratio},
        )

    def _against_known(self, layout: Any, stats: Any, mean: tuple, std: tuple) -> Finding:
        pairs = ((tensor_means(layout, stats.mean), mean), (tensor_means(layout, stats.std), std))
        if len(pairs[0][0]) != len(mean):
            return Finding("statistics", "odd", f"{len(layout.channels)} style tensors, not {len(mean)}")
        apart = max(float(np.abs(found - np.array(wanted)).max() / np.max(wanted)) for found, wanted in pairs)
        state = "ok" if apart < _STATS_TOLERANCE else "odd"
        return Finding(
            "statistics",
            state,
            f"{100 * apart:.2f} % from the known ones at most (2 %)",
            {"difference": apart},
        )

    def _latents(self) -> Iterator[Finding]:
        if self.known is None or self.known.latents is None or "stats" not in self.entry:
            return
        editor, stats = self._loaded, self._loaded.bundle.stats
        latents = editor.take_latents(load_bank(fetch_published(self.known.latents)))
        s = editor.styles(latents).numpy()
        deviations = (s - stats.mean) / np.maximum(stats.std, 1e-6)
        spread, offset = (
            float(np.median(deviations.std(axis=0))),
            float(np.median(np.abs(deviations.mean(axis=0)))),
        )
        good = _SPREAD[0] < spread < _SPREAD[1] and offset < _SPREAD[1]
        self.rows.append(grid(editor.render(latents[: len(SEEDS)]), len(SEEDS)))
        yield Finding(
            "latents of photographs",
            "ok" if good else "odd",
            f"styles of {len(s)} faces: {spread:.2f} stated deviations wide ({_SPREAD[0]} to {_SPREAD[1]}), "
            f"{offset:.2f} from the stated mean (less than {_SPREAD[1]})",
            {"spread": spread, "offset": offset, "faces": len(s)},
        )

    def _relevance(self) -> Iterator[Finding]:
        if not self.is_embedded and "relevance" not in self.entry:
            return
        bundle = self._loaded.bundle
        rows = np.asarray(bundle.relevance.rows)
        norms = np.linalg.norm(rows, axis=1)
        unit = float((np.abs(norms - 1) < 1e-3).mean())
        yield Finding(
            "relevance and CLIP",
            "ok" if unit > 0.5 and bundle.clip.dim == rows.shape[1] else "odd",
            f"{rows.shape[0]} rows of {rows.shape[1]} for CLIP {bundle.clip.name} of {bundle.clip.dim}, "
            f"{100 * unit:.0f} % of them of length 1",
            {"rows": rows.shape[0], "columns": rows.shape[1], "unit_rows": unit},
        )

    def _encoder(self) -> Iterator[Finding]:
        editor = self._loaded
        if editor.bundle.encoder is None:
            return
        face = editor.render(editor.sample(SEEDS[0]))
        found = editor.invert(face)
        error = float(np.mean((to_images(face) - editor.synthesize(found)) ** 2))
        other = float(np.mean((to_images(face) - editor.synthesize(editor.mean_w_plus())) ** 2))
        yield Finding(
            "encoder",
            "ok" if error < other else "odd",
            f"a drawn face is found again with a squared error of {error:.3f}; the mean face has {other:.3f}",
            {"error": error, "error_of_mean": other},
        )

    def _edit(self) -> Iterator[Finding]:
        if not self.is_embedded and "relevance" not in self.entry:
            return
        editor = self._loaded
        direction, face = editor.direction(EDIT), editor.sample(SEEDS[0])
        before, after = editor.render(face), editor.render(editor.apply(face, EDIT))
        self.rows.append(grid(np.concatenate([before, after]), len(SEEDS)))
        moved = _along(editor, before, after, direction.dt)
        change = float(np.abs(to_images(after) - to_images(before)).mean() / 2)
        yield Finding(
            "edit",
            "ok" if moved > 0 and change > 1e-3 else "odd",
            f"'{EDIT.neutral}' to '{EDIT.target}': {counted(direction.num_channels, 'channel')}, the picture "
            f"changes by {100 * change:.1f} %, CLIP sees it move along the text by a cosine of {moved:.3f} "
            "(above 0)",
            {"channels": direction.num_channels, "change": change, "cosine": moved},
        )


def _along(editor: Editor, before: np.ndarray, after: np.ndarray, dt: np.ndarray) -> float:
    """Cosine between how CLIP's feature of a picture moved and a text direction."""
    clip = editor.bundle.clip
    features = compile_image_encoder(clip, before.shape[1])(to_images(np.concatenate([before, after])))
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    step = features[1] - features[0]
    return float(step @ dt / max(float(np.linalg.norm(step)), 1e-12))


def _seconds(work: Callable[[], Any]) -> float:
    """The quicker of two runs."""
    seconds = []
    for _ in range(2):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)
