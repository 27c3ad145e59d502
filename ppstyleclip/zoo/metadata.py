# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the metadata of our safetensors files may hold, for each kind of file.

Files of other programs have metadata too. What they say counts for nothing, so it is read only where `kind`
is ours.
"""

# No `from __future__ import annotations`: the annotations are read by the checker, on Python 3.9 too.
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Optional, TypeVar

from ppstyleclip.errors import UserError, shown
from ppstyleclip.models.configs import LayoutConfig
from ppstyleclip.schema import Between, Count, Line, Mark, Name, OneOf, Open, Plain, Size, from_metadata
from ppstyleclip.zoo.bundle import EditDefaults

OURS = "ppstyleclip "  # how `kind` begins
MAPPER_SPACES = ("w_plus", "s")
EMBEDS = ("none", "table", "clip")
Texts = Annotated[tuple[Line, ...], Size(0, 1000)]
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class FileMetadata(Open):
    """What a file of ours may say of itself, whatever is in it."""

    kind: Line = ""
    name: Optional[Name] = None


@dataclass(frozen=True)
class NetworkMetadata(FileMetadata):
    """Generator, CLIP, encoder, identity network: `config` is the builder's, see models/configs.py."""

    fingerprint: Optional[Mark] = None
    generator: Optional[Mark] = None
    tuned_from: Optional[Mark] = None
    config: Annotated[dict[str, Plain], Size(0, 100)] = field(default_factory=dict)


@dataclass(frozen=True)
class MapperWords(Open):
    """What a mapper's file says beside its network's config: see TrainedMapper."""

    scale: Annotated[float, Between(-1e3, 1e3)]
    space: Annotated[str, OneOf(MAPPER_SPACES)]
    texts: Texts
    embed: Annotated[str, OneOf(EMBEDS)]
    made_for: "MadeFor"
    prompts: Texts = ()


@dataclass(frozen=True)
class MadeFor(Open):
    """The networks that a mapper was trained for."""

    generator: Optional[Mark] = None
    clip: Optional[Mark] = None
    generator_sample: Optional[Annotated[tuple[float, ...], Size(1, 8)]] = None


@dataclass(frozen=True)
class MapperMetadata(FileMetadata):
    """A trained mapper."""

    fingerprint: Optional[Mark] = None
    config: Annotated[dict[str, Plain], Size(0, 100)] = field(default_factory=dict)
    mapper: Optional[MapperWords] = None


@dataclass(frozen=True)
class MadeWith(Open):
    """How something was measured; statistics and relevance say different things."""

    alpha: Annotated[float, Between(1e-6, 1e6)] = 5.0
    channels: Optional[Count] = None
    num_images: Optional[Count] = None
    num_samples: Optional[Count] = None
    stop_at: Optional[Count] = None


@dataclass(frozen=True)
class MeasuredMetadata(FileMetadata):
    """Statistics, styles, relevance, latents: what was measured, and with which networks."""

    generator: Optional[Mark] = None
    clip: Optional[Mark] = None
    clip_name: Line = ""
    count: Annotated[int, Between(0, 2**53)] = 0
    layout: Optional[LayoutConfig] = None
    made_with: MadeWith = MadeWith()
    defaults: Optional[EditDefaults] = None


def read_own(kind: type[Kind], metadata: Mapping[str, str], path: Any) -> Kind:
    """The metadata of a file of ours; that of another's is as if it had none.

    Raises:
        UserError: a value is not of its kind; names file and field.
    """
    own = metadata if metadata.get("kind", "").startswith(OURS) else {}
    return from_metadata(kind, own, f"{path} is damaged")


def check_fingerprint(stated: Any, mark: str, path: Any) -> None:
    """Refuse what was read where the file states another fingerprint of it than its own."""
    if stated != mark:
        raise UserError(
            f"{path} is damaged: its weights are not those it was written with (fingerprint {shown(stated)}, "
            f"read {mark})"
        )
