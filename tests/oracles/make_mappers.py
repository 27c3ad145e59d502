# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write mappers.npz: the steps of the peers' mappers with weights drawn by key.

    python tests/oracles/make_mappers.py STYLECLIP TEXT2IMAGE STYLECLIP_GAN3

The arguments are checkouts of orpatashnik/StyleCLIP, yubin1219/text2image_manipulation (seed 000) and
xomyakes/styleclip-gan3 (seed 004). The stored numbers are from commits f87a47f7, 6053b4d1 and cc6a6ea9 on
PyTorch 2.13.0, CPU. Seed 000's are an eighth as wide, style space's too; the others are whole. Of seed 000's
own inference.py, whole networks of the coarse group take texts of its embedding.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import torch
from seeded_weights import seeded_z
from torch_peers import checkout, load_keyed

NARROW_000 = {512: 64, 1024: 128}
MODES = ("Mapper", "Mapper_cat", "Mapper_sum", "Mapper_multi")


def options(mode="Mapper", skip=""):
    flags = {f"no_{group}_mapper": group == skip for group in ("coarse", "medium", "fine")}
    return SimpleNamespace(mapper_mode=mode, **flags)


def latents(layers, dim):
    return torch.from_numpy(seeded_z(2 * layers, dim).reshape(2, layers, dim))


def styleclip(folder):
    arrays = {}
    with checkout(folder) as load:
        mappers = load("mapper.latent_mappers")
        mappers.STYLESPACE_DIMENSIONS = [dim // 8 for dim in mappers.STYLESPACE_DIMENSIONS]
        for case, network in {
            "single": mappers.SingleMapper(options()),
            "levels": mappers.LevelsMapper(options()),
            "levels_no_fine": mappers.LevelsMapper(options(skip="fine")),
        }.items():
            arrays[f"{case}/shapes"] = load_keyed(network, lr_mul=0.01)
            arrays[f"{case}/step"] = network(latents(18, 512))[:, :, ::32].numpy()
        dims = mappers.STYLESPACE_DIMENSIONS
        s = torch.from_numpy(seeded_z(2, sum(dims)))
        styles = [part.reshape(2, 1, -1, 1, 1) for part in s.split(dims, dim=1)]
        for case, name in (("full", "FullStyleSpaceMapper"), ("no_rgb", "WithoutToRGBStyleSpaceMapper")):
            network = getattr(mappers, name)(options())
            arrays[f"{case}/shapes"] = load_keyed(network, lr_mul=0.01)
            step = torch.cat([part.flatten(1) for part in network(styles)], dim=1)
            arrays[f"{case}/step"] = step[:, ::4].numpy()
    return arrays


def text2image(folder):
    """Seed 000's; its fine group is switched off once, for which it makes zeros of width 512."""
    arrays = {}
    with checkout(folder) as load:
        mappers = load("mapper.latent_mappers")
        whole, zeros = mappers.EqualLinear, torch.zeros
        mappers.EqualLinear = lambda i, o, **kwargs: whole(NARROW_000[i], NARROW_000[o], **kwargs)
        mappers.torch = SimpleNamespace(
            cuda=torch.cuda, cat=torch.cat, zeros=lambda shape: zeros([NARROW_000.get(n, n) for n in shape])
        )
        w, text = latents(18, 64), torch.from_numpy(seeded_z(2, 64, seed=5))[:, None].expand(2, 18, 64)
        for mode in MODES:
            skip = "medium" if mode == "Mapper_sum" else ""
            network = mappers.LevelsMapper(options(mode, skip))
            arrays[f"{mode}/shapes"] = load_keyed(network, lr_mul=0.01)
            x = torch.cat([text, w], dim=-1) if mode == "Mapper_cat" else w + text
            arrays[f"{mode}/step"] = network(x)[:, :, ::4].numpy()
    return arrays


INFERENCE = {
    "hairstyle_sum": ("Mapper_sum", 5, [1]),
    "color_cat": ("Mapper_cat", 4, [1]),
    "multi_sum": ("Mapper_multi", 6, [1, 5]),
}  # mode, rows of the embedding, and which are summed


def inference(folder):
    """Seed 000's functions from a latent and embedding rows to w_hat; nothing is drawn."""
    arrays, absent = (
        {},
        (
            "clip",
            "gdown",
            "matplotlib",
            "matplotlib.pyplot",
            "torchvision",
            "PIL",
            "torchvision.utils",
            "torchvision.transforms",
            "mapper.latents_encoder.encoder",
        ),
    )
    for name in absent:
        sys.modules[name] = MagicMock()
    with checkout(folder) as load:
        module, mappers = load("mapper.inference"), load("mapper.latent_mappers")
        w_plus = latents(18, 512)[:1]
        for case, (mode, count, rows) in INFERENCE.items():
            flags = {"no_coarse_mapper": False, "no_medium_mapper": True, "no_fine_mapper": True}
            network = mappers.LevelsMapper(SimpleNamespace(mapper_mode=mode, **flags))
            arrays[f"{case}/shapes"] = load_keyed(network, lr_mul=0.01)
            torch.manual_seed(1)
            embeds = torch.nn.Embedding(count, 512)
            found = sum(module.w_hat(torch.zeros_like(w_plus), embeds, torch.tensor([row])) for row in rows)
            w = w_plus + found
            if mode == "Mapper_cat":
                w = module.w_hat(w_plus, embeds, torch.tensor(rows), "concat")
            net = SimpleNamespace(mapper=network, decoder=lambda codes, **kwargs: (None, codes[0]))
            arrays[f"{case}/w_hat"] = module.inference_code(net, w, w_plus)[1][:, :, ::16].numpy()
    for name in absent:
        del sys.modules[name]
    return arrays


def gan3(folder):
    """Seed 004's; its layer asks for a GPU."""
    with checkout(folder) as load:
        torch.Tensor.cuda = lambda self: self
        network = load("src.mapper").LatentMapper()
        shapes = load_keyed(network, lr_mul=0.01)
        return {"gan3/shapes": shapes, "gan3/step": network(latents(16, 512))[:, :, ::32].numpy()}


def main():
    with torch.no_grad():
        arrays = {**styleclip(sys.argv[1]), **text2image(sys.argv[2]), **gan3(sys.argv[3])}
        arrays.update(inference(sys.argv[2]))
    np.savez_compressed(Path(__file__).with_name("mappers.npz"), **arrays)


if __name__ == "__main__":
    main()
