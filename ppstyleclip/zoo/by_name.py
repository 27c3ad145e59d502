# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a user asks for by a name: the known models, and a generator out of any of them or of any file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.inputs import as_path
from ppstyleclip.zoo.registry import known_models, model_entry, pack_of, refuse_former

if TYPE_CHECKING:
    from ppstyleclip.models.generator import Generator


def available_models() -> list[str]:
    """List the names that Editor.from_pretrained and load_generator know, the embedded models first.

    Examples:
        >>> import ppstyleclip
        >>> ppstyleclip.available_models()[0]
        'portrait'
    """
    return list(known_models())


def load_generator(name_or_file: str | Path) -> Generator:
    """Load a generator: of a known model, of a bundle's folder, or of a file of any format that is read.

    Nothing but the generator is loaded. A published model's weights are fetched when they are not here yet.

    Args:
        name_or_file: a name of available_models(); a folder that save_pretrained wrote; or weights: ours,
            PaddleGAN's `.pdparams`, rosinality's `.pt`, NVIDIA's `.pkl` (StyleGAN2 and 3), pSp's or e4e's
            checkpoint.
    Returns:
        the generator, in evaluation mode.
    Raises:
        UserError: an unknown name, or a file that holds no generator.
        MissingFile: a file that cannot be fetched.

    Examples:
        >>> import ppstyleclip
        >>> generator = ppstyleclip.load_generator("portrait")
        >>> generator.size
        256
    """
    from ppstyleclip.zoo import encoders, generators, load

    name = str(as_path(name_or_file))
    refuse_former(name)
    if name in known_models() and (pack_of(name) or "generator" not in model_entry(name)):
        return load.load_bundle(name).generator
    if name in known_models():
        path: Any = load.fetch_published(model_entry(name)["generator"])
    else:
        path = Path(name_or_file)
        if path.is_dir():
            return load.load_pack(path).generator
        if not path.exists():
            raise _nothing_of_that_name(name)
    if encoders.has_encoder(path):
        return encoders.load_encoder(path)[1]
    return generators.load_generator(path)[0]


def _nothing_of_that_name(name: str) -> UserError:
    return MissingFile(f"there is no model and no file '{name}'; known models: {', '.join(known_models())}")
