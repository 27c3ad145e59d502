# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write measures.npz: identity features, VGG features and LPIPS of the peers with weights drawn by key.

    python tests/oracles/make_measures.py STYLECLIP ARCFACE

The arguments are checkouts of orpatashnik/StyleCLIP and ronghuaiyang/arcface-pytorch. The stored numbers are
from commits f87a47f7 and 47ace80b, lpips 0.1.4 and torchvision 0.29.2 on PyTorch 2.13.0, CPU. The identity
networks have a quarter to an eighth of their channels, VGG-16 all.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from seeded_weights import keyed_state, seeded_images
from torch_peers import checkout, load_keyed, narrow_layers


def identity_irse(folder):
    """StyleCLIP's IDLoss without its weight file and its GPU."""
    with checkout(folder) as load:
        id_loss, irse = load("criteria.id_loss"), load("models.facial_recognition.model_irse")
        with narrow_layers():
            network = irse.Backbone(input_size=112, num_layers=50, drop_ratio=0.6, mode="ir_se")
    loss = id_loss.IDLoss.__new__(id_loss.IDLoss)
    torch.nn.Module.__init__(loss)
    loss.facenet, loss.pool = network, torch.nn.AdaptiveAvgPool2d((256, 256))
    loss.face_pool = torch.nn.AdaptiveAvgPool2d((112, 112))
    arrays = {"irse/shapes": load_keyed(network)}
    first, second = (torch.from_numpy(seeded_images(2, 3, 256, 256, seed)) for seed in (3, 4))
    arrays["irse/features256"] = loss.extract_feats(first).numpy()
    arrays["irse/features64"] = loss.extract_feats(first[:, :, ::4, ::4]).numpy()
    arrays["irse/loss"] = loss(second, first)[0].numpy()
    return arrays


def identity_grey(folder):
    with checkout(Path(folder, "models")) as load, narrow_layers():
        network = load("resnet").resnet_face18(use_se=False)
    arrays = {"grey/shapes": load_keyed(network)}
    arrays["grey/features"] = network(torch.from_numpy(seeded_images(2, 1, 128, 128))).numpy()
    return arrays


def perceptual():
    import lpips
    import torchvision

    network = lpips.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False)
    vgg = torchvision.models.vgg16().features
    shapes = {f"features.{key}": value.shape for key, value in vgg.state_dict().items()}
    state = {key: torch.from_numpy(value) for key, value in keyed_state(shapes).items()}
    vgg.load_state_dict({key.split(".", 1)[1]: value for key, value in state.items()})
    names = {key: "features." + key.split(".", 1)[1] for key in network.net.state_dict()}
    network.net.load_state_dict({key: state[name] for key, name in names.items()})
    for index, head in enumerate(network.lins):
        key = f"{index}.model.1.weight"
        head.load_state_dict(
            {
                "model.1.weight": torch.from_numpy(
                    np.abs(keyed_state({key: head.state_dict()["model.1.weight"].shape})[key])
                )
            }
        )
    network.eval()
    first, second = (torch.from_numpy(seeded_images(2, 3, 64, 64, seed)) for seed in (3, 4))
    arrays = {"lpips": network(first, second).numpy().reshape(-1)}
    x = first
    for index, layer in enumerate(vgg):
        x = layer(x)
        if index in (1, 3, 13, 20):
            arrays[f"vgg/{index}"] = x.mean(dim=(2, 3))[:, ::4].numpy()
    return arrays


def views():
    """What torchvision's Resize gives on tensors (bicubic, antialiased), as seed 004 uses it."""
    pixels = torch.from_numpy(seeded_images(1, 3, 64, 64)) * 0.5 + 0.5
    small, large = (
        torch.nn.functional.interpolate(
            pixels, size=(side, side), mode="bicubic", align_corners=False, antialias=True
        )
        for side in (24, 80)
    )
    return {"seed004/24": small.numpy(), "seed004/80": large[:, :, ::5, ::5].numpy()}


def main():
    with torch.no_grad():
        arrays = {**identity_irse(sys.argv[1]), **identity_grey(sys.argv[2]), **perceptual(), **views()}
    np.savez_compressed(Path(__file__).with_name("measures.npz"), **arrays)


if __name__ == "__main__":
    main()
