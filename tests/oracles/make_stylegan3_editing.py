# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write stylegan3_editing.npz: ReStyle's rounds for StyleGAN3, and the crops and transforms of faces.

    python tests/oracles/make_stylegan3_editing.py STYLEGAN3_EDITING

The argument is a checkout. The stored numbers are from yuval-alaluf/stylegan3-editing
36ce2b4ddab7821586012c1d5fbf737a3ea1c355 on PyTorch 2.13.0, CPU: encoders of an eighth to a quarter of the
channels, a 64 px generator, weights drawn by key, and the scenes of align_cases. Its landmarks are given
instead of found.
"""

import dataclasses
import importlib.util
import json
import os
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from align_cases import NUM_CASES, SIZE, case, detected, samples
from seeded_weights import sample, seeded_images, stylegan3_state
from torch_peers import checkout, load_keyed, narrow_layers

BATCH, DIM, ROUNDS = 2, 64, 3
GENERATOR = {"channel_base": 1024, "channel_max": 24, "conv_kernel": 1, "use_radial_filters": True}
TURNED = np.float32([[[0.8, -0.6, 0.1], [0.6, 0.8, -0.05], [0, 0, 1]], [[1, 0, 0.1], [0, 1, 0], [0, 0, 1]]])
CASES = {  # name in the file: (module of the model, class, its encoder)
    "psp": ("psp3", "pSp", "BackboneEncoder"),
    "e4e": ("e4e3", "e4e", "ProgressiveBackboneEncoder"),
}


def stand_in():
    """What its modules import and these numbers do not need; and no CUDA."""
    torchvision = types.ModuleType("torchvision")
    for name in ("models", "models.resnet", "transforms"):
        sys.modules[f"torchvision.{name}"] = types.ModuleType(f"torchvision.{name}")
    for name in ("models", "models.resnet"):
        sys.modules[f"torchvision.{name}"].resnet34 = None
    transforms = sys.modules["torchvision.transforms"]
    for name in ("Compose", "Resize", "ToTensor", "Normalize"):
        setattr(transforms, name, lambda *args: None)
    torchvision.transforms = transforms
    sys.modules["torchvision"] = torchvision
    for name in ("imageio", "pyrallis", "dlib", "requests"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["pyrallis"].field = lambda default, is_mutable: dataclasses.field(
        default_factory=lambda: default
    )
    if importlib.util.find_spec("pkg_resources") is None:  # setuptools no longer brings it
        from packaging.version import parse

        sys.modules["pkg_resources"] = types.SimpleNamespace(parse_version=parse)
    torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *args: self
    to = torch.Tensor.to
    torch.Tensor.to = lambda self, *args, **kwargs: self if args == ("cuda",) else to(self, *args, **kwargs)


def build(load, module, name, encoder_type, found):
    """The peer's model with drawn weights; `{key: shape}` of both its parts go to `found`."""
    peer = getattr(load(f"inversion.models.{module}"), name)
    linear = load("models.stylegan2.model").EqualLinear
    generator = load("models.stylegan3.networks_stylegan3").Generator

    class Peer(peer):
        def load_weights(self):
            pass

    opts = types.SimpleNamespace(encoder_type=encoder_type, input_nc=6, checkpoint_path=None)
    with narrow_layers(linear):
        network = Peer(opts)
    for head in network.encoder.styles:
        head.out_c = DIM
    found["encoder"] = load_keyed(network.encoder)
    decoder = generator(DIM, 0, DIM, SIZE, 3, mapping_kwargs={"num_layers": 2}, **GENERATOR)
    shapes = {key: list(value.shape) for key, value in decoder.state_dict().items()}
    state = {key: torch.from_numpy(value) for key, value in stylegan3_state(shapes).items()}
    missing, unknown = decoder.load_state_dict(state, strict=False)
    assert not unknown and all(key.endswith("_filter") for key in missing), (missing, unknown)
    network.decoder, network.latent_avg = decoder, decoder.mapping.w_avg
    found["decoder"] = np.frombuffer(json.dumps(shapes).encode(), "uint8")
    return network.eval()


def rounds(load, network, found):
    """Codes of each round, and the pictures of the last one through a transform."""
    inference = load("utils.inference_utils")

    @dataclasses.dataclass
    class Options:
        n_iters_per_batch: int = ROUNDS
        resize_outputs: bool = False

    images = torch.from_numpy(seeded_images(BATCH, 3, 256, 256))
    with torch.no_grad():
        average = inference.get_average_image(network)
        pictures, codes = inference.run_on_batch(
            images, network, Options(), average, torch.from_numpy(TURNED)
        )
    found["average"] = sample(average.numpy()[None])[2]
    found["codes"] = np.stack([np.stack(codes[k]) for k in range(BATCH)])[..., ::4]
    last = np.stack([pictures[k][-1].numpy() for k in range(BATCH)])
    means, squares, pixels = sample(last)
    found["last/means"], found["last/squares"] = means.astype("f4"), squares.astype("f4")
    found["last/pixels"], found["last/peak"] = pixels, np.abs(last).max()


def faces(load):
    """Quads, crops and transforms of each scene."""
    PIL.Image.ANTIALIAS = PIL.Image.LANCZOS  # its name since Pillow 10
    module = load("utils.alignment_utils")
    module.scipy = importlib.import_module("scipy")
    importlib.import_module("scipy.ndimage")
    turns, quads, crops, transforms = [], [], [], []
    measured = module.get_rotation_from_eyes

    def rotation(**eyes):
        turns.append(measured(**eyes))
        return turns[-1]

    cut = module.crop_face_by_transform

    def small(path, quad, qsize):
        quads.append(quad.copy())
        return cut(path, quad, qsize, output_size=SIZE, transform_size=4 * SIZE)

    module.get_rotation_from_eyes, module.crop_face_by_transform = rotation, small
    for k in range(NUM_CASES):
        photo, landmarks = case(k)
        PIL.Image.fromarray(photo).save("photo.png")

        def found(path, *_, k=k, landmarks=landmarks):
            if "rotated" in path:
                return turned(found("aligned.png"), turns[-1])
            which = ["aligned.png", "cropped.png"].index(path) if path != "photo.png" else None
            return landmarks if which is None else detected(k, landmarks, quads[2 * k + which], which)

        module.get_landmark = found
        for name, function in (("aligned.png", module.align_face), ("cropped.png", module.crop_face)):
            picture = function("photo.png", None, None)
            picture.save(name)
            crops.append(samples(np.asarray(picture)))
        transforms.append(module.get_stylegan_transform("cropped.png", "aligned.png", None, None)[3])
    shape = (NUM_CASES, 2)
    return {
        "faces/quads": np.stack(quads).reshape(*shape, 4, 2),
        "faces/crops": np.stack(crops).reshape(*shape, *crops[0].shape),
        "faces/transforms": np.stack(transforms),
    }


def turned(landmarks, degrees):
    """Where points lie after Pillow has rotated their picture of SIZE pixels."""
    middle, angle = (SIZE - 1) / 2, np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (landmarks - middle) @ turn.T + middle


def main():
    stand_in()
    arrays, here = {"turned": TURNED}, Path(__file__).resolve()
    folder = str(Path(sys.argv[1]).resolve())
    with checkout(folder) as load, tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        for case_name, (module, name, encoder_type) in CASES.items():
            found = {}
            rounds(load, build(load, module, name, encoder_type, found), found)
            arrays.update({f"{case_name}/{key}": value for key, value in found.items()})
        arrays.update(faces(load))
    np.savez_compressed(here.with_name("stylegan3_editing.npz"), **arrays)


if __name__ == "__main__":
    main()
