# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Give packs a CLIP whose words were fitted anew.

    python -m ppstyleclip.worlds.portrait.training.clip.renew --clip NEW --packs pack pack-sg3

The first pack holds the CLIP. Relevance was measured with pictures alone, so it stays and names the new CLIP
from now on. So does a mapper that reads texts, such as `words`, for new words lie where the old ones did or
nearly so: judge it again by benchmarks/mapper_quality.py, and train it anew if it has become worse.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.errors import UserError
from ppstyleclip.files import all_or_nothing, atomic_path, read_metadata, read_safetensors, write_safetensors
from ppstyleclip.worlds.portrait.training.exported import CLIP as EXPORTED
from ppstyleclip.worlds.portrait.training.exported import read_exported
from ppstyleclip.zoo.pack import CLIP, RELEVANCE
from ppstyleclip.zoo.published_mappers import bundle_mappers

PICTURES = "visual."


@all_or_nothing()
def renew(clip, packs) -> None:
    """Put the file `clip` into the first of `packs` (folders), and its mark into what names the old one.

    Raises:
        UserError: its side of pictures is not that of the pack's CLIP, or a file cannot be read or written;
            all packs are as they were then.
    """
    target = Path(packs[0]) / CLIP
    (old, said), (new, says) = (read_exported(path, EXPORTED) for path in (target, clip))
    seeing = {name for name in {*old, *new} if name.startswith(PICTURES)}
    if not all(name in old and name in new and np.array_equal(old[name], new[name]) for name in seeing):
        raise UserError(f"{clip} sees pictures otherwise than {packs[0]}/{CLIP}; measure relevance again")
    before, after = said.fingerprint, says.fingerprint
    if not before or not after:
        raise UserError(f"{clip if before else target} has no fingerprint; export it again")
    for path in [file for pack in packs for file in (Path(pack) / RELEVANCE, *bundle_mappers(pack).values())]:
        arrays, about = read_safetensors(path)
        write_safetensors(path, arrays, {name: text.replace(before, after) for name, text in about.items()})
    with atomic_path(target) as draft:
        shutil.copyfile(clip, draft)


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--clip", required=True, metavar="FILE", help="of the command `texts`")
    parser.add_argument(
        "--packs", required=True, nargs="+", metavar="FOLDER", help="the first one holds the CLIP"
    )
    args = parser.parse_args(argv)
    renew(args.clip, args.packs)
    print(f"{', '.join(args.packs)}: {read_metadata(args.clip)['fingerprint']}")


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
