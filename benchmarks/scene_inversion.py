# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge the whole way of a photo on drawn scenes: faces found, cut out, inverted, edited, pasted back.

    python benchmarks/scene_inversion.py
    python benchmarks/scene_inversion.py --first 970000 --pasted 200 --edit "happy face" "face with glasses"
    python benchmarks/scene_inversion.py --bundle ppstyleclip/worlds/portrait/pack --edit beard --offset 2
    python benchmarks/scene_inversion.py --model_type portrait-sg3 --fitted 0
    python benchmarks/scene_inversion.py --encoder e4e --fitted 0

Scenes are held out: no fit saw them. PSNR is of the crops and of what the generator draws of them. Identity
is the cosine of the model's identity network. "exact crop" cuts out the true frame in place of the found one,
so that the crop's share of the loss can be told; of a ReStyle encoder each round is. An edit is a step along
one of the model's named directions, or else a text edit at its defaults; after it the faces are found again
in the photo that they were pasted into. `--output` writes the tables, and beside them a picture: of some
faces the crop and what is drawn of it (FILE.png), and of some the photo around the face before and after each
edit (FILE-photos.png).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppstyleclip.finite import finite_number

FIRST_SCENE = 960_000  # seeds that no fit sees
SIDES = (96, 192)  # of the frames in a scene of 640x480
SHOWN, AROUND = 10, 240  # faces shown in their photos, and the side of what is shown


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face that was found: `alignment` and `crop` by its landmarks, `exact` the true frame."""

    scene: int
    alignment: object
    crop: np.ndarray
    exact: np.ndarray


def gather(bundle, finder, draw, count, first):
    """(list of scenes, list of FoundFace, how many true faces) until `count` faces are there."""
    from ppstyleclip.align import align_face, find_faces

    scenes, faces, true = [], [], 0
    while true < count:
        scene = draw(first + len(scenes), sides=SIDES)
        found, size = find_faces(finder, scene.pixels), bundle.generator.size
        for one in scene.faces:
            near = [face for face in found if _is_same(face.box, one.box)]
            true += 1
            if near:
                crop, alignment = align_face(scene.pixels, near[0].landmarks, size, bundle.crop)
                faces.append(FoundFace(len(scenes), alignment, crop, _exact(scene.pixels, one, size)))
        scenes.append(scene.pixels)
    return scenes, faces, true


def _is_same(a, b):
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return max(width, 0) * max(height, 0) * 3 > sum(areas)  # intersection over union above one half


def _exact(pixels, face, size):
    """The true frame of a SceneFace, cut out."""
    from ppstyleclip.align import CropWeights, align_face

    turn = np.exp(1j * np.radians(face.angle)) * face.side / 2
    points = np.zeros(68, complex)
    points[0], points[1] = 1, -1  # two points to the right and left of the middle are all that it takes
    weights = CropWeights(np.zeros(68, complex), points / 2)
    marks = complex(*face.centre) + points * turn
    return align_face(pixels, np.stack([marks.real, marks.imag], 1), size, weights)[0]


def likeness(bundle, first, second):
    """Cosines `[N]` of identities of pixels `[N, S, S, 3]`."""
    import paddle

    from ppstyleclip.pictures import to_images

    network, features = bundle.identity, []
    with paddle.no_grad():
        for pixels in (first, second):
            features.append(network.identity_features(paddle.to_tensor(to_images(pixels))).numpy())
    return (features[0] * features[1]).sum(1)


def invert(editor, crops, steps, batch):
    """(w_plus, seconds a face)."""
    from ppstyleclip.methods.inversion import FittingConfig
    from ppstyleclip.pipelines.inversion import find_latents
    from ppstyleclip.progress import last

    start, found = time.time(), []
    for k in range(0, len(crops), batch):
        found.append(last(find_latents(editor, crops[k : k + batch], FittingConfig(steps=steps))).w_plus)
    return np.concatenate(found), (time.time() - start) / len(crops)


def rounds(editor, crops, batch):
    """`[rounds, N, L, D]` what a ReStyle encoder has found after each of its rounds; none of another."""
    import paddle

    from ppstyleclip.methods.inversion import inversion_steps
    from ppstyleclip.ops.area import resize_area
    from ppstyleclip.pictures import to_images

    encoder, parts = editor.bundle.encoder, []
    if encoder.network.input_channels == 3:
        return np.zeros(0)
    for k in range(0, len(crops), batch):
        images = resize_area(paddle.to_tensor(to_images(crops[k : k + batch])), encoder.network.input_size)
        steps = inversion_steps(
            encoder.network,
            images,
            latent_avg=encoder.latent_avg,
            draw=lambda w_plus: paddle.to_tensor(editor.synthesize(w_plus)),
        )
        with paddle.no_grad():
            parts.append(np.stack([step.w_plus.numpy() for step in steps]))
    return np.concatenate(parts, axis=1)


def row(editor, name, crops, w_plus, seconds):
    """A line of the table of inversions."""
    from ppstyleclip.pipelines.quality import psnr

    drawn = editor.render(w_plus)
    near, alike = psnr(crops, drawn), likeness(editor.bundle, crops, drawn)
    figures = (
        f"{near.mean():.1f} dB | {near.min():.1f} dB | {alike.mean():.3f} | {np.quantile(alike, 0.05):.3f}"
    )
    return f"| {name}, {len(crops)} faces | {figures} | {seconds:.2f} s |"


def edited(editor, w_plus, edit, offset):
    """Latents or styles behind an edit: a direction's name, or else a text."""
    if edit not in editor.bundle.directions:
        from ppstyleclip import Edit

        return editor.apply(w_plus, Edit("face", edit))
    return w_plus + offset * np.asarray(editor.bundle.directions[edit], np.float32)


def pasted_rows(editor, finder, scenes, faces, w_plus, edits, offset):
    """Yield (line of the table of edits, what is around the first faces in their photos) of each edit.

    The line has the identity of the face as drawn, and as found again in its photo.
    """
    from ppstyleclip.align import paste_back
    from ppstyleclip.pipelines.quality import psnr

    old, crops = editor.synthesize(w_plus), np.stack([face.crop for face in faces])
    for edit in edits:
        latents = edited(editor, w_plus, edit, offset)
        again, kept, around = [], [], []
        for face, before, after in zip(faces, old, editor.synthesize(latents)):
            photo = scenes[face.scene]
            pasted = paste_back(photo, face.alignment, *map(_levels, (after, before)))
            kept.append(psnr(photo[None], pasted[None])[0])
            again.append(_found_again(editor.bundle, finder, pasted, face))
            if len(around) < SHOWN:
                around.append(_around(pasted, face))
        alike = likeness(editor.bundle, crops, editor.render(latents))
        pairs = [(face.crop, crop) for face, crop in zip(faces, again) if crop is not None]
        there = likeness(editor.bundle, *(np.stack(part) for part in zip(*pairs)))
        name = f"{edit} {offset:+g}" if edit in editor.bundle.directions else edit
        share = len(pairs) / len(faces)
        figures = f"{alike.mean():.3f} | {share:.3f} | {there.mean():.3f} | {np.mean(kept):.1f} dB"
        yield f"| {name} | {figures} |", around


def _around(photo, face):
    """What is around a face in its photo, twice as wide as its frame, `[H, W, 3]` of one size."""
    import cv2

    quad = face.alignment.quad
    half = int(np.linalg.norm(quad[0] - quad[2]) * 0.65)
    x, y = np.rint(quad.mean(0)).astype(int) + half
    wide = np.pad(photo, ((half, half), (half, half), (0, 0)))
    return cv2.resize(wide[y - half : y + half, x - half : x + half], (AROUND, AROUND))


def _levels(image):
    """`[3, H, W]` to `[H, W, 3]` of 0 to 255."""
    return (image.transpose(1, 2, 0) + 1) * 127.5


def _found_again(bundle, finder, photo, face):
    """The crop of a face in the photo that it was pasted into; None where it is not found."""
    from ppstyleclip.align import align_face, find_faces

    found = [one for one in find_faces(finder, photo) if _holds(one.box, face.alignment.quad.mean(0))]
    return align_face(photo, found[0].landmarks, bundle.generator.size, bundle.crop)[0] if found else None


def _holds(box, point):
    return box[0] < point[0] < box[2] and box[1] < point[1] < box[3]


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model_type", metavar="NAME", help="a model of the portrait world (default: portrait)"
    )
    parser.add_argument("--bundle", help="folder of the model (default: the embedded one)")
    parser.add_argument("--encoder", metavar="NAME", help="another encoder of the model, such as e4e")
    parser.add_argument("--faces", type=int, default=200)
    parser.add_argument("--first", type=int, default=FIRST_SCENE, help="seed of the first scene")
    parser.add_argument("--fitted", type=int, default=40, help="of them, also with fitting")
    parser.add_argument("--steps", type=int, default=60, help="of fitting")
    parser.add_argument("--batch", type=int, default=20, help="faces inverted together")
    parser.add_argument("--pasted", type=int, default=40, help="faces that are edited and pasted back")
    parser.add_argument(
        "--edit",
        nargs="*",
        default=["smile", "glasses", "hair_length", "age"],
        metavar="NAME",
        help="or TEXT",
    )
    parser.add_argument("--offset", type=finite_number, default=1.5, help="along the directions")
    parser.add_argument("--output", help="file of the tables")
    args = parser.parse_args(argv)

    from ppstyleclip.threads import import_paddle

    import_paddle()

    from ppstyleclip.editor import Editor
    from ppstyleclip.files import save_png, write_atomic
    from ppstyleclip.pipelines.faces import load_finder
    from ppstyleclip.zoo import load_bundle

    bundle = load_bundle(args.model_type, bundle=args.bundle, encoder=args.encoder)
    editor, finder = Editor(bundle), load_finder(bundle)
    from ppstyleclip.worlds.portrait.scenes import draw_scene

    scenes, faces, true = gather(bundle, finder, draw_scene, args.faces, args.first)
    crops, exact = (np.stack([getattr(face, name) for face in faces]) for name in ("crop", "exact"))
    lines = []

    def tell(*more):
        lines.extend(more)
        print("\n".join(more), flush=True)

    tell(f"{len(faces)} of {true} faces found in {len(scenes)} scenes", "")
    tell("| way | PSNR, mean | least | identity, mean | 5% | a face takes |", "|---|---|---|---|---|---|")
    w_plus, seconds = invert(editor, crops, 0, args.batch)
    tell(row(editor, "encoder", crops, w_plus, seconds))
    if args.output:
        drawn = editor.render(w_plus[:12])
        sheet = [np.concatenate(pair, 0) for pair in zip(crops, drawn)]
        save_png(Path(args.output).with_suffix(".png"), np.concatenate(sheet, 1))
    tell(row(editor, "exact crop, encoder", exact, *invert(editor, exact, 0, args.batch)))
    for number, latents in enumerate(rounds(editor, exact, args.batch), 1):
        tell(row(editor, f"exact crop, round {number}", exact, latents, np.nan))
    if args.fitted:
        some = crops[: args.fitted]
        found = invert(editor, some, args.steps, args.batch)
        tell(row(editor, f"encoder, {args.steps} steps", some, *found))
    rows = [[_around(scenes[face.scene], face) for face in faces[:SHOWN]]]
    if args.pasted:
        tell("", "| edit | identity, drawn | found again | identity, in the photo | photo's PSNR |")
        tell("|---|---|---|---|---|")
        some = slice(args.pasted)
        wanted = editor, finder, scenes, faces[some], w_plus[some], args.edit, args.offset
        for line, around in pasted_rows(*wanted):
            tell(line)
            rows.append(around)
    if args.output:
        path = Path(args.output).with_suffix("")
        save_png(
            path.with_name(f"{path.name}-photos.png"),
            np.concatenate([np.concatenate(row, 1) for row in rows]),
        )
        write_atomic(Path(args.output), ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
