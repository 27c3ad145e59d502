# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The whole of StyleCLIP's global directions on one screen.

A face and an edit go this way:

    seed or photo -> w_plus -> s                          a face, as flat styles
    Edit(neutral, target) -> dt -> ds                     a pair of texts, as a style direction
    s + alpha * ds -> images -> pixels                    the face, edited
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Union

import numpy as np
import paddle

from ppstyleclip.card import EditResult, edit_result
from ppstyleclip.edits import AnyEdit as AnyEdit
from ppstyleclip.edits import Edit as Edit
from ppstyleclip.edits import ResolvedEdit as ResolvedEdit
from ppstyleclip.edits import check_edit, is_auto, refuse_auto, without_auto
from ppstyleclip.engine import Renderer
from ppstyleclip.errors import UserError, shown
from ppstyleclip.inputs import as_list, as_pictures, is_folder, to_array
from ppstyleclip.methods.checks import check_number, check_numbers, check_seeds
from ppstyleclip.methods.global_directions import Population, StrengthRecord, StyleDirection
from ppstyleclip.methods.global_directions import solve as solving
from ppstyleclip.methods.global_directions.of_bundle import BundleDirections
from ppstyleclip.methods.inversion.encoder import invert
from ppstyleclip.models.canvas import Canvas, check_can_move, check_canvas, move_canvas
from ppstyleclip.ops.area import resize_area
from ppstyleclip.pictures import to_images, to_pixels
from ppstyleclip.regions import RegionEdit, SampledFaces, draw_in_batches, region_masks
from ppstyleclip.session import Session as Session
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.text import unknown_words
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import Bundle, known_models, load_bundle
from ppstyleclip.zoo.save import save_bundle

BATCH_PIXELS = 2**21  # pictures rendered together: 2 at 1024 px, 32 at 256 px and below
MAX_BATCH = 32

NO_FACE = "faces are arrays, such as editor.sample(seed=58) gives"

Face = Union[np.ndarray, paddle.Tensor]  # w_plus `[N, L, D]` or flat styles s `[N, S]`
Seeds = Union[int, Sequence[int], np.ndarray]


class Editor:
    """Edits faces of one bundle (generator, statistics, relevance, CLIP) by text.

    Args:
        bundle: the model.
        relevance: "matrix", "instant" or "instant+", as in choose_matcher; None: the matrix, or where the
            bundle has none, gradients.
        canvas: where all pictures of w_plus lie, of a generator that can move them (StyleGAN3). Flat styles
            hold their own place, and stay there.

    Attributes: `bundle`; `relevance` and `canvas`, as they were given.

    A face is w_plus `[N, L, D]` or flat styles s `[N, S]`, a tensor or an array; every method takes either.
    What goes on being computed with (`sample`, `styles`, `apply`) is a tensor; pictures, `invert` and `step`
    are arrays.

    Examples:
        >>> from ppstyleclip import Edit, Editor
        >>> editor = Editor.from_pretrained()
        >>> before, after = editor.edit(editor.sample(seed=58), Edit("face", "happy face"))
        >>> after.shape
        (256, 256, 3)
    """

    @on_worker
    def __init__(self, bundle: Bundle, *, relevance: str | None = None, canvas: Canvas | None = None):
        if not hasattr(bundle, "generator"):
            raise UserError(
                f"an editor is made of a Bundle, got {shown(bundle)}; by name or folder it is "
                "Editor.from_pretrained"
            )
        self.bundle, self._directions = bundle, BundleDirections(bundle, relevance)
        self.relevance, self.canvas = relevance, canvas
        if canvas is not None:
            check_can_move(bundle.generator, check_canvas(canvas).rotate)
        self._renderer = Renderer(bundle.generator, mark=bundle.fingerprints.get("generator"))
        self.sampled = SampledFaces()

    @classmethod
    def from_pretrained(
        cls,
        model_type: str | Path | None = None,
        *,
        relevance: str | None = None,
        canvas: Canvas | None = None,
        **paths: Any,
    ) -> Editor:
        """Make the editor of a known model (None: the embedded face world), or of a bundle's folder.

        Args:
            model_type: a name, or the folder that save_pretrained wrote.
            relevance, canvas: as of the class.
            paths: as in load_bundle.

        Examples:
            >>> from ppstyleclip import Editor
            >>> Editor.from_pretrained().bundle.name
            'portrait'
        """
        if "bundle" not in paths and model_type not in known_models() and is_folder(model_type):
            model_type, paths["bundle"] = None, model_type
        return cls(load_bundle(model_type, **paths), relevance=relevance, canvas=canvas)

    def save_pretrained(self, folder: str | Path, *, half: bool = False) -> dict[str, str]:
        """Write the model as a folder that `Editor.from_pretrained(bundle=folder)` opens; as save_bundle.

        Examples:
            >>> from ppstyleclip import Editor
            >>> sorted(Editor.from_pretrained().save_pretrained("my_model"))
            ['clip', 'generator']
            >>> Editor.from_pretrained(bundle="my_model").bundle.name
            'portrait'
        """
        return save_bundle(folder, self.bundle, half=half)

    @on_worker
    @paddle.no_grad()
    def sample(self, seed: Seeds = 0, *, truncation: float | None = None) -> paddle.Tensor:
        """Draw a face that does not exist; one for each seed, and the same one whatever is drawn beside it.

        Args:
            seed: an integer of 0 to 2**32 - 1, or several.
            truncation: how far from the average face, 0 to 1; None is the bundle's default.
        Returns:
            w_plus `[N, L, D]`, N the number of seeds.

        Examples:
            >>> from ppstyleclip import Editor
            >>> Editor.from_pretrained().sample(seed=[1, 2, 3]).numpy().shape
            (3, 14, 128)
        """
        generator = self.bundle.generator
        truncation = self.bundle.defaults.truncation if truncation is None else truncation
        check_number("truncation", truncation)
        seeds = check_seeds("seed", seed)
        options = {"truncation": truncation, "truncation_latent": self._mean_w if truncation < 1 else None}
        z = [_draw_z(one, generator.style_dim) for one in seeds]
        # One at a time, because a product of matrices rounds its rows otherwise in another batch.
        w_plus = paddle.concat([generator.get_latents(paddle.to_tensor(one[None]), **options) for one in z])
        self.sampled.remember(w_plus.numpy(), seeds, z, truncation)
        return w_plus

    @on_worker
    @paddle.no_grad()
    def invert(self, pixels: Any) -> np.ndarray:
        """Find the latents of aligned pictures with the bundle's encoder, or start from its mean latent.

        Args:
            pixels: `[N, H, H, 3]` uint8, or one picture; crops as the generator draws them.
        Returns:
            w_plus `[N, L, D]` float32; without an encoder the mean latent, from which fitting can begin.
        Raises:
            UserError: they are no such pictures, as inputs.as_pictures.

        Examples:
            >>> from ppstyleclip import Editor
            >>> editor = Editor.from_pretrained()
            >>> pixels = editor.render(editor.sample(seed=58))
            >>> editor.invert(pixels).shape
            (1, 14, 128)
        """
        pixels = as_pictures(pixels, "pictures to invert are [N, H, H, 3] uint8", or_one=True)
        if pixels.shape[1] != pixels.shape[2]:
            raise UserError(
                f"pictures to invert are squares, crops of faces, got {list(pixels.shape)}; "
                "cut the faces out first, or give the photo to edit_photo"
            )
        encoder, images = self.bundle.encoder, paddle.to_tensor(to_images(pixels))
        if encoder is None:
            return np.tile(self.mean_w_plus(), [len(pixels), 1, 1])
        network, parts = encoder.network, []
        for image in resize_area(images, network.input_size).split(len(pixels)):
            w_plus = invert(network, image, latent_avg=encoder.latent_avg, draw=self._draw_for_encoder)
            parts.append(w_plus.numpy())
        return np.concatenate(parts)

    def _draw_for_encoder(self, w_plus: paddle.Tensor) -> paddle.Tensor:
        return paddle.to_tensor(self._renderer.synthesize(self.bundle.generator.style_affine(w_plus)))

    @on_worker
    def mean_w_plus(self) -> np.ndarray:
        """Return the mean latent as a face, w_plus `[1, L, D]` float32."""
        return np.tile(self._mean_w.numpy().reshape(1, 1, -1), [1, self.bundle.generator.n_latent, 1])

    @on_worker
    @paddle.no_grad()
    def styles(self, face: Face) -> paddle.Tensor:
        """Return a face as flat styles s `[N, S]`, where the canvas lies; errors as check_face."""
        self.check_face(face)
        tensor: Any = face if paddle.is_tensor(face) else paddle.to_tensor(_array(face))
        tensor = tensor.astype("float32")
        if tensor.ndim == 2:
            return tensor
        s = self.bundle.layout.flatten(self.bundle.generator.style_affine(tensor))
        if self.canvas is None:
            return s
        return paddle.to_tensor(move_canvas(self.bundle.generator, s.numpy(), self.canvas))

    def on_canvas(self, canvas: Canvas | None) -> Editor:
        """An editor that draws w_plus on a canvas, and otherwise is this one, with all that it has loaded.

        Args:
            canvas: Canvas; None for one that lies where the generator has it.
        Raises:
            UserError: the generator's canvas does not move.
        """
        if canvas is not None:
            check_can_move(self.bundle.generator)
            check_canvas(canvas)
        other = copy(self)
        other.canvas = canvas
        return other

    def limited(self, within: float) -> Editor:
        """An editor whose edits keep so near their means, as `added` says, and that otherwise is this one.

        Args:
            within: deviations, in place of the bundle's `defaults.within`; 0 sets no limit.
        Raises:
            UserError: it is no number from 0 to 1000.
        """
        defaults = self.bundle.defaults
        if within == defaults.within:
            return self
        bundle = self.bundle.with_parts(defaults=replace(defaults, within=within))
        other = Editor(bundle, relevance=self.relevance, canvas=self.canvas)
        other.sampled = self.sampled
        return other

    @on_worker
    def moved(self, face: Face, canvas: Canvas) -> np.ndarray:
        """Flat styles `[N, S]` of faces on a moved canvas; those that were moved before go further.

        Raises:
            UserError: as check_face; the generator's canvas does not move.
        """
        return move_canvas(self.bundle.generator, self.styles(face).numpy(), canvas)

    def placed(self, face: Face) -> Face:
        """Faces that were computed off the canvas as they lie on it: w_plus as it is, flat styles moved."""
        return face if self.canvas is None or face.ndim == 3 else self.moved(face, self.canvas)

    @on_worker
    def check_face(self, face: Face) -> None:
        """Refuse what is no face of this generator.

        Raises:
            UserError: it is no array or holds none, the shape fits another generator, or a value is not
                finite.
        """
        generator, layout = self.bundle.generator, self.bundle.layout
        face = face if paddle.is_tensor(face) else _array(face)
        if list(face.shape[1:]) not in ([generator.n_latent, generator.style_dim], [layout.size]):
            raise UserError(
                f"latent has shape {list(face.shape)}, but '{self.bundle.name}' ({generator.size} px) takes "
                f"[N, {generator.n_latent}, {generator.style_dim}]; use one that was made for this generator"
            )
        if not face.shape[0]:
            raise UserError(f"there are no faces in an array of shape {list(face.shape)}; give at least one")
        if not bool((paddle if paddle.is_tensor(face) else np).isfinite(face).all()):
            raise UserError("latent holds values that are not finite (NaN or infinity); make it again")

    def take_latents(self, latents: np.ndarray) -> np.ndarray:
        """Latents as a file holds them, for this generator: a w `[N, 1, D]` counts for all L layers.

        Args:
            latents: w_plus `[N, L, D]`, w `[N, 1, D]` or styles `[N, S]`, as formats.load_bank returns them.
        Raises:
            UserError: as check_face.
        """
        generator, latents = self.bundle.generator, _array(latents)
        if latents.shape[1:] == (1, generator.style_dim):
            latents = np.repeat(latents, generator.n_latent, axis=1)
        self.check_face(latents)
        return latents

    def resolve(self, edit: AnyEdit) -> ResolvedEdit:
        """Fill what the edit leaves open from the bundle's defaults.

        Raises:
            UserError: a value is no number; "auto" needs a face, see `solve`.
        """
        refuse_auto(edit)
        wished: dict[str, Any] = {field.name: getattr(edit, field.name) for field in fields(ResolvedEdit)}
        defaults = self.bundle.defaults
        filled: dict[str, Any] = {
            k: getattr(defaults, k, None) if value is None else value for k, value in wished.items()
        }
        return ResolvedEdit(**filled)

    def direction(self, edit: AnyEdit) -> StyleDirection:
        """Turn an edit's words into a style direction; alpha plays no part. Remembered per edit.

        A beta of "auto" counts as the bundle's own. Words that the bundle's CLIP was never trained on are
        named in a warning.

        Raises:
            UserError: empty, equal or over-long texts, or no channel passes beta (names the largest usable).

        Examples:
            >>> from ppstyleclip import Edit, Editor
            >>> direction = Editor.from_pretrained().direction(Edit("face", "happy face"))
            >>> direction.ds.shape, direction.num_channels > 100
            ((2416,), True)
        """
        bare = replace(self.resolve(without_auto(edit)), alpha=1.0, region=None)
        return self._directions.direction(bare)

    def solve(
        self,
        face: Face,
        edit: AnyEdit,
        *,
        others: Sequence[RegionEdit] = (),
        masks: np.ndarray | None = None,
        **options: Any,
    ) -> Iterator[StrengthRecord]:
        """Find what an edit leaves to "auto", for one face.

        Args:
            face: one face, before all edits.
            edit: with "auto" as alpha, beta or both. Change counts outside of its region, where it has one.
            others: edits that are there already, as region_edit gives them.
            masks: of region_masks; None looks for them.
            options: `direction` and `first` of solve_edit.
        Yields:
            StrengthRecord for each picture that is drawn; the last one has the Solution.
        Raises:
            UserError: as direction; an identity budget, and the bundle has no identity network.

        Examples:
            >>> from ppstyleclip import Edit, Editor
            >>> editor, happy = Editor.from_pretrained(), Edit("face", "happy face", alpha="auto")
            >>> *_, last = editor.solve(editor.sample(seed=58), happy)
            >>> last.result.bound
            'reached'
        """
        masks, original = self.region_masks(face, edit) if masks is None else masks, self.synthesize(face)

        def drawn(*steps: RegionEdit) -> np.ndarray:
            return self.synthesize_edits(face, [*others, *steps], before=original)

        pictures = solving.FacePictures(
            original,
            lambda step: drawn(RegionEdit(step, masks)),
            drawn() if others else None,
            None if masks is None else masks[0],
        )
        usual = self.resolve(without_auto(edit))
        yield from solving.solve_edit(self, edit, usual, self._texts_population, pictures, **options)

    def fixed(
        self,
        face: Face,
        edit: AnyEdit,
        *,
        others: Sequence[RegionEdit] = (),
        masks: np.ndarray | None = None,
    ) -> ResolvedEdit:
        """The edit with everything filled in, and what it leaves to "auto" solved for one face; as solve."""
        if is_auto(edit):
            *_, record = self.solve(face, edit, others=others, masks=masks)
            assert record.result is not None
            edit = solving.with_solution(edit, record.result)
        return self.resolve(edit)

    def step(self, edit: AnyEdit) -> np.ndarray:
        """Return `alpha * ds` `[S]`: what the edit adds to any face. Steps of several edits add up."""
        return np.float32(self.resolve(edit).alpha) * self.direction(edit).ds

    def apply(self, face: Face, edit: AnyEdit, alphas: Sequence[float] | None = None) -> paddle.Tensor:
        """Edit every face at every strength: `s + alpha * ds`, see added.

        Args:
            face: N faces.
            edit: the edit; "auto" is solved for each face.
            alphas: A strengths, or one, instead of the edit's own.
        Returns:
            s `[N * A, S]`; the strengths of one face lie side by side.

        Examples:
            >>> from ppstyleclip import Edit, Editor
            >>> editor = Editor.from_pretrained()
            >>> faces = editor.sample(seed=[1, 2])
            >>> editor.apply(faces, Edit("face", "happy face"), alphas=[-2, 0, 2]).numpy().shape
            (6, 2416)
        """
        self.check_face(face)
        if alphas is None and is_auto(edit):
            return self.styles(self.added(self.styles(face).numpy(), self._steps(face, edit)))
        alphas = check_numbers("alpha", self.resolve(edit).alpha if alphas is None else alphas)
        steps = np.outer(np.asarray(alphas, np.float32), self.direction(edit).ds)  # [A, S]
        return self._with_steps(face, steps)

    def _steps(self, face: Face, edit: AnyEdit) -> np.ndarray:
        """What the edit adds to each face: `[S]`, or `[N, S]` where something is solved for each."""
        if not is_auto(edit):
            return self.step(edit)
        return np.stack([self.step(self.fixed(row[None], edit)) for row in _array(face)])

    @on_worker
    def _with_steps(self, face: Face, steps: np.ndarray) -> paddle.Tensor:
        """Every face plus every step `[A, S]`: `[N * A, S]`."""
        s = self.styles(face).numpy()
        return paddle.to_tensor(self.added(s[:, None], steps[None]).reshape([-1, s.shape[1]]))

    def added(self, s: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Styles `[..., S]` and a step, added up; float32.

        Each channel stays within the bundle's `defaults.within` deviations of its mean, on its side (see
        `stylespace.sides_of`), or no further than it was: beyond them no face of the model lies, and colours
        burn out.
        """
        edited, within = np.asarray(s + step, np.float32), self.bundle.defaults.within
        return edited if within == 0 else self.stats.kept(s, edited, within)

    @property
    @on_worker
    def stats(self) -> StyleStats:
        """StyleStats of the bundle, or where it has none, new ones, measured in seconds."""
        return self._directions.stats

    @on_worker
    def render(self, face: Face) -> np.ndarray:
        """Draw faces, always with the same noise, a batch at a time; pixels `[N, H, W, 3]` uint8.

        Examples:
            >>> from ppstyleclip import Editor
            >>> editor = Editor.from_pretrained()
            >>> editor.render(editor.sample(seed=[1, 2])).shape
            (2, 256, 256, 3)
        """
        return np.concatenate(list(self.render_batches(face)))

    @on_worker
    def render_batches(self, face: Face) -> Iterator[np.ndarray]:
        """Yield what render returns, a batch at a time."""
        return (to_pixels(images) for images in self._image_batches(face))

    @on_worker
    def synthesize(self, face: Face) -> np.ndarray:
        """Draw faces as render does; images `[N, 3, H, W]` float32, about [-1, 1]."""
        return np.concatenate(list(self._image_batches(face)))

    def draw(self, face: Face) -> np.ndarray:
        """Do what synthesize does, whose earlier name this is; it goes with the next release."""
        warnings.warn("Editor.draw is synthesize now", DeprecationWarning, stacklevel=2)
        return self.synthesize(face)

    def region_masks(
        self, face: Face, edit: AnyEdit, *, landmarks: Sequence[np.ndarray] | None = None
    ) -> np.ndarray | None:
        """Where an edit may change each face, `[N or 1, size, size]` of 0 to 1; None: everywhere.

        `landmarks` are N arrays `[68, 2]` in the faces' pixels, where they are known; errors as in
        regions.region_masks.
        """
        check_edit(edit)
        if edit.region is None:
            return None
        self.check_face(face)
        usual = replace(self.resolve(without_auto(edit)), alpha=self.bundle.defaults.alpha)
        return region_masks(
            edit.region,
            self.bundle,
            _array(face),
            self.sampled,
            images=lambda: self.synthesize(face),
            text=lambda: (self.text_direction(usual), self.synthesize(self.apply(face, usual))),
            landmarks=landmarks,
            canvas=self.canvas,
        )

    def synthesize_edits(
        self, face: Face, edits: Sequence[AnyEdit | RegionEdit], *, before: np.ndarray | None = None
    ) -> np.ndarray:
        """Draw faces with edits, each in its region; images `[N, 3, H, W]` float32.

        What no region reaches is bit for bit what synthesize draws of the faces with the other edits.

        Args:
            face: N faces.
            edits: one, or several in the order in which they are made; or steps with masks that were found
                before.
            before: what synthesize gave of the faces, where it is known: it saves a third of the time.
        """
        edits = as_list(edits, "edit", least=0)
        parts = [one if isinstance(one, RegionEdit) else self.region_edit(face, one) for one in edits]
        s, layout = self.styles(face).numpy(), self.bundle.layout
        return draw_in_batches(
            self._renderer, layout, s, parts, before=before, batch=self._batch_size, add=self.added
        )

    def region_edit(self, face: Face, edit: AnyEdit) -> RegionEdit:
        """What an edit adds to each face, and where."""
        return RegionEdit(self._steps(face, edit), self.region_masks(face, edit))

    @property
    def drawn(self) -> str:
        """The form in which pictures are drawn by now: "eager" or "compiled"."""
        return "compiled" if self._renderer.is_compiled else "eager"

    def compile_next(self) -> None:
        """Have all further pictures drawn in the form "compiled"."""
        self._renderer.compile_next()

    @property
    def _batch_size(self) -> int:
        return max(1, min(MAX_BATCH, BATCH_PIXELS // self.bundle.generator.size**2))

    @paddle.no_grad()
    def _image_batches(self, face: Face) -> Iterator[np.ndarray]:
        s = self.styles(face).numpy()
        batch = self._batch_size
        for k in range(0, len(s), batch):
            yield self._renderer.synthesize(self.bundle.layout.unflatten(s[k : k + batch]))

    def edit(self, face: Face, *edits: AnyEdit) -> EditResult:
        """Draw one face before and after its edits; two pictures `[H, W, 3]` uint8, and their card.

        Examples:
            >>> from ppstyleclip import Edit, Editor
            >>> editor = Editor.from_pretrained()
            >>> smile, glasses = Edit("face", "happy face"), Edit("face", "face with glasses")
            >>> before, after = editor.edit(editor.sample(seed=58), smile, glasses)
            >>> after.shape, after.dtype.name, bool((before != after).any())
            ((256, 256, 3), 'uint8', True)
        """
        return edit_result(self, face, Session(self, face), edits)

    def unknown_words(self, edit: AnyEdit) -> list[str]:
        """List the words of an edit that the bundle's CLIP never saw; none for a CLIP that knows them all."""
        check_edit(edit)
        if edit.reference is not None:
            return []
        return unknown_words(self.bundle.clip, edit.neutral, edit.target)

    @cached_property
    def _mean_w(self) -> paddle.Tensor:
        return self.bundle.generator.mean_latent()

    @cached_property
    def _texts_population(self) -> Population:
        return solving.population_of(self.bundle, self.synthesize)

    def text_direction(self, edit: AnyEdit) -> np.ndarray:
        """The text direction dt `[D]` of an edit's words, a unit vector."""
        return self.direction(edit).dt


def _array(face: Any) -> np.ndarray:
    """Faces as an array of numbers, which may be those of a tensor or of lists."""
    array = face if isinstance(face, np.ndarray) else to_array(face, NO_FACE)
    if array.dtype.kind not in "fiu":
        raise UserError(f"{NO_FACE}, got an array of {array.dtype}")
    return array


def _draw_z(seed: int, style_dim: int) -> np.ndarray:
    return np.random.RandomState(int(seed)).standard_normal(style_dim).astype(np.float32)
