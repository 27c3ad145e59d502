# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The editor and what belongs to it, loaded once and warmed before the server says that it is ready."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from ppstyleclip.align import FaceFinder
from ppstyleclip.editor import Editor
from ppstyleclip.errors import MissingExtra, MissingFile, UserError
from ppstyleclip.pipelines.faces import load_finder
from ppstyleclip.pipelines.mapper_edit import MapperLink, make_chain, open_mapper
from ppstyleclip.pipelines.quality import Measures, load_measures
from ppstyleclip.regions import AUTO, NAMES, has_world
from ppstyleclip.server.logs import log
from ppstyleclip.server.problems import NO_FINDER, log_missing
from ppstyleclip.server.schemas import METHODS, MapperEntry, ModelEntry
from ppstyleclip.server.settings import ServerSettings
from ppstyleclip.zoo import TrainedMapper
from ppstyleclip.zoo.published_mappers import bundle_mappers
from ppstyleclip.zoo.registry import pack_of


@dataclass(frozen=True, eq=False)
class Model:
    """What jobs are done with.

    Attributes:
        editor: Editor.
        measures: what says how near an inverted face comes.
        finder: of faces in photos; None where there is none on this machine, or nothing is looked for.
        no_photos: why no photos are taken, where that is so.
        mappers: `{name: TrainedMapper}`. A request names one of these; it never becomes a path.
        align: of photos, as in PhotoConfig.
    """

    editor: Editor
    measures: Measures
    finder: FaceFinder | None
    no_photos: str = ""
    mappers: dict[str, TrainedMapper] = field(default_factory=dict)
    align: str = "face"

    def chain(self, name: str, text: str | None, strength: float) -> list[MapperLink]:
        """A mapper with its text.

        Raises:
            UserError: there is none of this name (lists those there are), or it does not take this text.
        """
        if name not in self.mappers:
            known = ", ".join(self.mappers) or "none"
            raise UserError(f"there is no mapper of this name; there are: {known}")
        mapper = self.mappers[name]
        texts = [text] if mapper.takes_text and text is not None else []
        return make_chain(self.editor, [(name, mapper)], texts, [strength])

    def entry(self) -> ModelEntry:
        """What GET /v1/models says."""
        bundle = self.editor.bundle
        defaults = {
            name: getattr(bundle.defaults, name)
            for name in ("alpha", "beta", "unit", "templates", "pull", "within")
        }
        return ModelEntry(
            name=bundle.name,
            size=bundle.generator.size,
            methods=[method for method in METHODS if method != "mapper" or self.mappers],
            clip=bundle.clip.name,
            defaults=defaults,
            fingerprints=dict(bundle.fingerprints),
            takes_photos=self.takes_photos,
        )

    def mapper_entries(self) -> list[MapperEntry]:
        """What GET /v1/mappers says."""
        return [
            MapperEntry(name=name, texts=list(map(str, mapper.texts)), takes_text=mapper.embed)  # type: ignore[arg-type]
            for name, mapper in self.mappers.items()
        ]

    def regions(self) -> list[str]:
        """What GET /v1/regions says: names where something finds them in this model's faces, and "auto"."""
        is_found = self.finder is not None or has_world(self.editor.bundle.name)
        return [*(NAMES if is_found else ()), AUTO]

    @property
    def takes_photos(self) -> bool:
        """Whether photos can be edited."""
        return self.finder is not None or self.align == "none"

    @property
    def has_identity(self) -> bool:
        """Whether it tells who is in a picture, for budgets of identity."""
        return self.editor.bundle.identity is not None


def load_model(settings: ServerSettings) -> Model:
    """Load everything.

    Raises:
        MissingFile, UserError: the model or a mapper cannot be loaded.
    """
    editor = Editor.from_pretrained(settings.model_type, bundle=settings.bundle)
    finder, words, align = None, "", settings.align
    try:
        finder = load_finder(editor.bundle) if align == "face" else None
    except (MissingFile, MissingExtra) as error:
        log_missing(error)
        words = NO_FINDER
    return Model(editor, load_measures(editor.bundle), finder, words, _mappers(settings, editor), align)


def _mappers(settings: ServerSettings, editor: Editor) -> dict[str, TrainedMapper]:
    """The mappers of the settings' folder, and those of the model that fit it."""
    own = pack_of(settings.model_type) if settings.bundle is None else settings.bundle
    loaded = {}
    for name, path in bundle_mappers(own).items():
        try:
            loaded[name] = open_mapper(editor, path)
        except UserError as error:  # it belongs to a generator or a CLIP that the model had before
            log("mapper left out", logging.WARNING, words=str(error))
    if settings.mappers is not None:
        loaded.update(
            {path.stem: open_mapper(editor, path) for path in sorted(settings.mappers.glob("*.safetensors"))}
        )
    return loaded
