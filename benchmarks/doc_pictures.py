# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw the pictures of README and docs from the embedded models.

python benchmarks/doc_pictures.py
python benchmarks/doc_pictures.py --only regions.png --seed 3 --output images
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
TARGETS = (
    ("happy", "happy face"),
    ("angry", "angry face"),
    ("surprised", "surprised face"),
    ("grey hair", "face with grey hair"),
    ("curly hair", "face with curly hair"),
    ("glasses", "face with glasses"),
    ("beard", "face with a beard"),
)
REGIONS = (
    ("happy", "happy face", "mouth"),
    ("surprised", "surprised face", "eyes+brows+mouth"),
    ("angry", "angry face", "eyes+brows"),
    ("glasses", "face with glasses", "glasses"),
    ("beard", "face with a beard", "beard"),
    ("curly hair", "face with curly hair", "hair"),
)
MOVED = (  # label, target, where the canvas lies
    ("face", ""),
    ("happy", "happy face"),
    ("glasses", "face with glasses"),
    ("panned", "face with glasses", (0.12, 0.0)),
    ("lifted", "face with glasses", (0.0, -0.1)),
    ("turned", "face with glasses", (0.0, 0.0), 15),
    ("and back", "happy face", (0.0, 0.0), -15),
    ("both", "face with long hair", (0.06, 0.03), 8),
)
TOLD = (  # what the mapper `words` is told; smiling, furious and ginger were not among its texts
    ("smiling", "smiling face"),
    ("furious", "furious face"),
    ("glasses", "face with glasses"),
    ("beard", "face with a beard"),
    ("blue hair", "face with blue hair"),
    ("curly hair", "face with curly hair"),
    ("ginger", "face with ginger hair"),
)
MAPPERS = {"happy": (11, 12, 35), "curly": (5, 58, 23), "beard": (58, 14, 26)}  # and seeds of faces for each
ABOVE_SEED = 99  # the faces of the renderer above the generator


def edits_in_regions(editor, seed):
    """One face and what REGIONS make of it, each in its region, in a labelled row."""
    from ppstyleclip import Edit
    from ppstyleclip.pictures import strip

    face = editor.sample(seed)
    pictures = [editor.render(face)[0]]
    pictures += [editor.edit(face, Edit("face", target, region=region))[1] for _, target, region in REGIONS]
    return strip(np.stack(pictures), ["face", *(label for label, _, _ in REGIONS)])


def edits(editor, seed):
    """One face and what TARGETS make of it, in a labelled row."""
    from ppstyleclip import Edit
    from ppstyleclip.pictures import strip

    face = editor.sample(seed)
    steps = [editor.apply(face, Edit("face", target)) for _, target in TARGETS]
    pictures = np.concatenate([editor.render(s) for s in (face, *steps)])
    return strip(pictures, ["face", *(label for label, _ in TARGETS)])


def mapped(editor, seed):
    """One face and what the mapper `words` makes of it when it is told TOLD, in a labelled row."""
    from ppstyleclip.pictures import strip
    from ppstyleclip.pipelines.mapper_edit import apply_chain, open_chain
    from ppstyleclip.zoo.registry import PACK

    faces = [editor.sample(seed).numpy()]
    for _, text in TOLD:
        faces += apply_chain(editor, open_chain(editor, ["words"], [text], folder=PACK), faces[0])
    return strip(editor.render(np.concatenate(faces)), ["face", *(label for label, _ in TOLD)])


def single_mappers(editor, _):
    """Two rows: faces, and what the mapper of one text below each makes of it."""
    from ppstyleclip.pictures import grid
    from ppstyleclip.pipelines.mapper_edit import apply_chain, open_chain
    from ppstyleclip.zoo.registry import PACK

    rows = [[], []]
    for name, seeds in MAPPERS.items():
        faces = editor.sample(list(seeds)).numpy()
        [mapped] = apply_chain(editor, open_chain(editor, [name], folder=PACK), faces)
        for row, latents in zip(rows, (faces, mapped)):
            row.append(editor.render(latents))
    return grid(np.concatenate([np.concatenate(row) for row in rows]), len(rows[0]) * 3, background=255)


def renderer_above_generator(editor, _, columns=6):
    """Two rows: what the renderer draws for some z, and what the generator does."""
    import paddle

    from ppstyleclip.pictures import enlarged, grid
    from ppstyleclip.worlds.portrait.factors import factors_from_z, sample_z
    from ppstyleclip.worlds.portrait.render import render_batch

    z = sample_z(ABOVE_SEED, columns)
    with paddle.no_grad():
        generated = editor.render(editor.bundle.generator.get_latents(paddle.to_tensor(z)))
    rendered = render_batch(factors_from_z(z), editor.bundle.generator.size)
    return grid(enlarged(np.concatenate([rendered, generated])), columns, background=255)


def moved_edits(editor, seed):
    """One face of a StyleGAN3, edited, then moved and turned with its edits, in a labelled row."""
    from ppstyleclip import Edit
    from ppstyleclip.models.canvas import Canvas
    from ppstyleclip.pictures import enlarged, strip

    face, pictures = editor.sample(seed), []
    for _, target, *place in MOVED:
        drawing = editor.on_canvas(Canvas(*place))
        pictures.append(drawing.render(drawing.apply(face, Edit("face", target)) if target else face)[0])
    return strip(enlarged(np.stack(pictures)), [label for label, *_ in MOVED])


PICTURES = {  # name: model, what draws it
    "strip.png": ("portrait", edits),
    "stylegan3.png": ("portrait-sg3", moved_edits),
    "regions.png": ("portrait", edits_in_regions),
    "mapper_words.png": ("portrait", mapped),
    "mappers.png": ("portrait", single_mappers),
    "renderer_above_generator.png": ("portrait", renderer_above_generator),
    "renderer_above_stylegan3.png": ("portrait-sg3", renderer_above_generator),
}


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, help="the face that is edited (default: the command's)")
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=list(PICTURES), help="of the pictures")
    parser.add_argument("--output", default=str(IMAGES))
    args = parser.parse_args(argv)
    from ppstyleclip import Editor
    from ppstyleclip.apps import DEFAULT_SEED
    from ppstyleclip.files import save_png

    seed = DEFAULT_SEED if args.seed is None else args.seed
    for name in args.only:
        model, draw = PICTURES[name]
        save_png(Path(args.output) / name, draw(Editor.from_pretrained(model), seed))


if __name__ == "__main__":
    main()
