# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write align.npz: what the published FFHQ crop makes of the scenes of align_cases.

    python tests/oracles/make_align.py PSP [FOLDER]      # PSP: a checkout of eladrich/pixel2style2pixel
                                                         # FOLDER: for whole crops, ours beside theirs, as PNG

The stored numbers are from commit 5cfff385beb7b95fbce775662b48fcc80081928d, whose align_face is that of
NVIDIA's data set, with its sizes set as there: four times oversampled, then averaged. Needs Pillow and SciPy.
"""

import sys
import types
from pathlib import Path

import numpy as np
import PIL.Image
from align_cases import NUM_CASES, SIZE, case, samples

CHANGES = {
    "output_size = 256": f"output_size = {SIZE}",
    "transform_size = 256": f"transform_size = {4 * SIZE}",
    "qsize = np.hypot(*x) * 2\n": "qsize = np.hypot(*x) * 2\n\tQUADS.append(quad.copy())\n",
    "PIL.Image.ANTIALIAS": "PIL.Image.LANCZOS",  # its name since Pillow 10
}


def published(checkout):
    """The checkout's module, with landmarks given instead of found and its quads kept in QUADS."""
    source = Path(checkout, "scripts", "align_all_parallel.py").read_text("utf-8")
    for old, new in CHANGES.items():
        assert old in source, f"{old!r} is not in the checkout's align_all_parallel.py"
        source = source.replace(old, new)
    paths = types.ModuleType("configs.paths_config")
    paths.model_paths = {"shape_predictor": None}
    sys.modules.update(
        {
            "configs": types.ModuleType("configs"),
            "configs.paths_config": paths,
            "dlib": types.ModuleType("dlib"),
        }
    )
    module = types.ModuleType("published")
    module.QUADS = []
    exec(compile(source, "align_all_parallel.py", "exec"), module.__dict__)
    module.get_landmark = lambda path, landmarks: landmarks
    return module


def main():
    module, folder = published(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    photo_path, crops = folder / "align-photo.png", []
    for k in range(NUM_CASES):
        photo, landmarks = case(k)
        PIL.Image.fromarray(photo).save(photo_path)
        crops.append(np.asarray(module.align_face(photo_path, landmarks)))
    photo_path.unlink()
    target = Path(__file__).with_name("align.npz")
    np.savez_compressed(target, quads=np.stack(module.QUADS), samples=np.stack([samples(c) for c in crops]))
    if len(sys.argv) > 2:
        compare(module.QUADS, crops, folder)


def compare(quads, crops, folder):
    """Print how near ours is and lay both side by side."""
    from ppstyleclip.align import align_face

    for k, (quad, theirs) in enumerate(zip(quads, crops)):
        ours, alignment = align_face(*case(k), SIZE)
        psnr = 10 * np.log10(255**2 / max(1e-9, np.mean((ours.astype(float) - theirs) ** 2)))
        off = np.abs(alignment.quad - quad).max()
        print(f"case {k}: corners {off:.1e} px, crop {psnr:.1f} dB, shrink {alignment.shrink}")
        PIL.Image.fromarray(np.hstack([ours, theirs])).save(folder / f"align-{k:02d}.png")


if __name__ == "__main__":
    main()
