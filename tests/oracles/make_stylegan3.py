# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write stylegan3.npz: what NVIDIA's code computes with drawn weights. Needs PyTorch and SciPy.

    python tests/oracles/make_stylegan3.py STYLEGAN3 [--save FOLDER]

The argument is a checkout. The stored numbers are from NVlabs/stylegan3
c233a919a6faee6e36a316ddd4eddababad1adf9 on PyTorch 2.13.0 and SciPy 1.17.1. With `--save` the networks are
also pickled as that code pickles them, and as the bare state dict of stylegan3-editing.
"""

import argparse
import importlib
import json
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import torch
from seeded_weights import sample, seeded_z, stylegan3_state

BATCH, DIM, SIZE = 2, 24, 64
WIDTHS = {"channel_base": 1024, "channel_max": 24}  # square weights almost everywhere
CONFIGURATIONS = {"T": {}, "R": {"conv_kernel": 1, "use_radial_filters": True}}
PUBLISHED = {"T": {}, "R": {"channel_base": 65536, "channel_max": 1024, **CONFIGURATIONS["R"]}}
TURNED = np.float32([[0.8, -0.6, 0.1], [0.6, 0.8, -0.05], [0, 0, 1]])


def generator_class(checkout):
    sys.path.insert(0, checkout)
    if importlib.util.find_spec("pkg_resources") is None:  # setuptools no longer brings it
        from packaging.version import parse

        sys.modules["pkg_resources"] = types.SimpleNamespace(parse_version=parse)
    return importlib.import_module("training.networks_stylegan3").Generator


def layers_of(network):
    synthesis = network.synthesis
    return [(name, getattr(synthesis, name)) for name in synthesis.layer_names]


def described(network):
    """Table `[15, 7]` of sides, factors and paddings, and the filters one after the other."""
    rows, filters = [], []
    for _, layer in layers_of(network):
        rows.append(
            [layer.in_size[0], layer.out_size[0], layer.up_factor, layer.down_factor, *layer.padding[:2]]
        )
        rows[-1].append(layer.conv_kernel)
        kept = [taps for taps in (layer.up_filter, layer.down_filter) if taps is not None]
        filters += [taps.numpy().ravel() for taps in kept]
    names = json.dumps([name for name, _ in layers_of(network)]).encode()
    return {
        "names": np.frombuffer(names, "uint8"),
        "table": np.int32(rows),
        "filters": np.concatenate(filters),
    }


def styles_of(network, ws):
    """What scales each layer's input, side by side; ToRGB's with its factor."""
    found = [network.synthesis.input.affine(ws[:, 0])]
    for k, (_, layer) in enumerate(layers_of(network), 1):
        style = layer.affine(ws[:, k])
        found.append(style / np.sqrt(layer.in_channels) if layer.is_torgb else style)
    return torch.cat(found, dim=1)


def drawn(network):
    """Pictures of w_plus that differs from layer to layer, and the gradient of their sum under weights."""
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    state = {key: torch.from_numpy(value) for key, value in stylegan3_state(shapes).items()}
    missing, unknown = network.load_state_dict(state, strict=False)
    assert not unknown and all(key.endswith("_filter") for key in missing), (missing, unknown)
    network.eval()
    with torch.no_grad():
        w_plus = network.mapping(torch.from_numpy(seeded_z(BATCH, DIM)), None)
    ws = w_plus + 0.3 * torch.from_numpy(seeded_z(BATCH * 16, DIM, 2)).reshape(w_plus.shape)
    ws.requires_grad_()
    images = network.synthesis(ws, noise_mode="const")
    weights = torch.from_numpy(np.random.RandomState(4).standard_normal(images.shape).astype("float32"))
    (images * weights).sum().backward()
    found = {"shapes": np.frombuffer(json.dumps(shapes).encode(), "uint8"), "w": w_plus[:, 0].numpy()}
    found["gradient"] = ws.grad.numpy()
    with torch.no_grad():
        found["styles"] = styles_of(network, ws).numpy()
        network.synthesis.input.transform.copy_(torch.from_numpy(TURNED))
        turned = network.synthesis(ws, noise_mode="const").numpy()
        network.synthesis.input.transform.copy_(torch.eye(3))
    for name, pictures in (("images", images.detach().numpy()), ("turned", turned)):
        means, squares, pixels = sample(pictures)
        found[f"{name}/means"], found[f"{name}/squares"] = means.astype("f4"), squares.astype("f4")
        found[f"{name}/pixels"], found[f"{name}/peak"] = pixels, np.abs(pictures).max()
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkout")
    parser.add_argument("--save", help="a folder for the networks as that code saves them")
    args = parser.parse_args()
    network_class, found = generator_class(args.checkout), {"turned": TURNED}
    for name, settings in CONFIGURATIONS.items():
        published = network_class(512, 0, 512, 1024, 3, **PUBLISHED[name])
        found.update({f"{name}1024/{key}": value for key, value in described(published).items()})
        del published
        network = network_class(DIM, 0, DIM, SIZE, 3, mapping_kwargs={"num_layers": 2}, **WIDTHS, **settings)
        numbers = {**described(network), **drawn(network)}
        found.update({f"{name}{SIZE}/{key}": value for key, value in numbers.items()})
        if args.save:
            content = {"G": network, "D": None, "G_ema": network, "augment_pipe": None}
            Path(args.save, f"{name}.pkl").write_bytes(pickle.dumps({**content, "training_set_kwargs": {}}))
            torch.save(network.state_dict(), Path(args.save, f"{name}.pt"))
    np.savez_compressed(Path(__file__).resolve().with_name("stylegan3.npz"), **found)


if __name__ == "__main__":
    main()
