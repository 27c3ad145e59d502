# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write convert_<peer>.npz: what a peer's own code computes with drawn weights. Needs PyTorch, runs on a CPU.

    python tests/oracles/make_convert.py rosinality STYLEGAN2_PYTORCH
    python tests/oracles/make_convert.py ada STYLEGAN2_ADA_PYTORCH
    python tests/oracles/make_convert.py stylegan3 STYLEGAN3
    python tests/oracles/make_convert.py openai CLIP
    python tests/oracles/make_convert.py chinese TRANSFORMERS

The second argument is a checkout; TRANSFORMERS is a folder into which `transformers` was installed, 5.24.0
for the stored numbers. The others are from rosinality/stylegan2-pytorch
bef283a1c24087da704d16c30abc8e36e63efa0e, NVlabs/stylegan2-ada-pytorch
d72cc7d041b42ec8e806021a205ed9349f87c6a4, NVlabs/stylegan3 c233a919a6faee6e36a316ddd4eddababad1adf9 and
openai/CLIP d05afc436d78f1c48dc0dbf8e5980a9d471f35f6 on PyTorch 2.13.0.
With `--save FILE` the network is also saved as that code saves it, to be read back by ppstyleclip.
"""

import argparse
import importlib
import importlib.util
import json
import pickle
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from seeded_weights import drawn_clip_state, drawn_state, sample, seeded_z

BATCH = 2
# Square weights everywhere, so that a turned one shows in the numbers only; then widths that differ.
NVIDIA = {
    "ada": [
        {"channels": (1024, 32), "mapping": 2, "clamp": None},
        {"channels": (512, 24), "mapping": 8, "clamp": 256},
    ],
    "stylegan3": [{"channels": (1024, 32), "mapping": 8, "clamp": 256}],
}
ROSINALITY = [{"size": 32, "style_dim": 512, "n_mlp": 3}, {"size": 16, "style_dim": 40, "n_mlp": 8}]
CLIP = {
    "embed_dim": 64,
    "image_resolution": 32,
    "vision_layers": 2,
    "vision_width": 64,
    "vision_patch_size": 8,
    "context_length": 12,
    "vocab_size": 100,
    "transformer_width": 64,
    "transformer_heads": 1,
    "transformer_layers": 2,
}


def load(module, drawn):
    """Put drawn weights into a torch module; return its shapes as JSON bytes."""
    shapes = {key: list(value.shape) for key, value in module.state_dict().items()}
    module.load_state_dict({key: torch.from_numpy(value) for key, value in drawn(shapes).items()})
    module.eval()
    return np.frombuffer(json.dumps(shapes).encode(), dtype="uint8")


def pictures(images):
    """Return what is stored of a batch of images."""
    means, squares, pixels = sample(images.numpy())
    return {
        "means": means.astype("float32"),
        "squares": squares.astype("float32"),
        "pixels": pixels,
        "peak": np.float32(images.abs().max()),
    }


def rosinality(checkout):
    """Describe generators of rosinality's code, and return the last of them."""
    import torch.utils.cpp_extension

    torch.utils.cpp_extension.load = lambda *args, **kwargs: None  # CUDA operators; a CPU needs none
    sys.path.insert(0, checkout)
    generator_class = importlib.import_module("model").Generator
    found = {}
    for index, case in enumerate(ROSINALITY):
        network = generator_class(case["size"], case["style_dim"], case["n_mlp"])
        found[f"{index}/shapes"] = load(network, drawn_state)
        z = torch.from_numpy(seeded_z(BATCH, case["style_dim"]))
        with torch.no_grad():
            images, latents = network([z], return_latents=True, randomize_noise=False)
        found.update({f"{index}/{name}": value for name, value in pictures(images).items()})
        found[f"{index}/w"] = latents[:, 0].numpy()
    mean = torch.from_numpy(drawn_state({"w_avg": [case["style_dim"]]})["w_avg"])
    return found, lambda file: torch.save({"g_ema": network.state_dict(), "latent_avg": mean}, file)


def nvidia(checkout, peer):
    """Describe generators of NVIDIA's code, and return the last of them."""
    sys.path.insert(0, checkout)
    module = "training.networks" if peer == "ada" else "training.networks_stylegan2"
    generator_class = importlib.import_module(module).Generator
    found = {}
    for index, case in enumerate(NVIDIA[peer]):
        base, most = case["channels"]
        layers = {"channel_base": base, "channel_max": most, "conv_clamp": case["clamp"]}
        layers = {"synthesis_kwargs": layers} if peer == "ada" else layers
        network = generator_class(
            z_dim=32,
            c_dim=0,
            w_dim=32,
            img_resolution=64,
            img_channels=3,
            mapping_kwargs={"num_layers": case["mapping"]},
            **layers,
        )
        found[f"{index}/shapes"] = load(network, drawn_state)
        z = torch.from_numpy(seeded_z(BATCH, 32))
        with torch.no_grad():
            w = network.mapping(z, None)
            images = network.synthesis(w, noise_mode="const")
        found.update({f"{index}/{name}": value for name, value in pictures(images).items()})
        found[f"{index}/w"] = w[:, 0].numpy()
    content = {"G": network, "D": None, "G_ema": network, "augment_pipe": None, "training_set_kwargs": {}}
    return found, lambda file: file.write(pickle.dumps(content))


def openai(checkout):
    """Describe a small ViT CLIP of OpenAI's code."""
    spec = importlib.util.spec_from_file_location("openai_clip_model", Path(checkout, "clip", "model.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.CLIP(**CLIP)
    found = {"shapes": load(network, drawn_clip_state)}
    pixels = torch.from_numpy(np.random.RandomState(5).standard_normal((BATCH, 3, 32, 32)).astype("float32"))
    tokens = torch.from_numpy(np.random.RandomState(6).randint(1, 99, (BATCH, 12)))
    tokens[:, 7] = 99  # the largest id ends a prompt
    with torch.no_grad():
        found["image"] = network.encode_image(pixels).numpy()
        found["text"] = network.encode_text(tokens).numpy()
        found["logit_scale"] = network.logit_scale.numpy()
    found.update(pixels=pixels.numpy(), tokens=tokens.numpy())
    return found, lambda file: torch.jit.save(torch.jit.trace(network, (pixels, tokens)), file)


PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    ".",
    ",",
    "，",
    "cafe",
    "smil",
    "##ing",
    "face",
    "a",
    "2",
    "微",
    "笑",
]
PIECES += ["的", "脸", "戴", "眼", "镜", "##s"]
PROMPTS = ["微笑的脸", "戴眼镜的脸，a smiling Face.", "CAFÉS 22 龘", "微\u200b笑\u3000脸"]


def chinese(checkout):
    """Describe a small Chinese-CLIP of Hugging Face's code, and what its tokenizer makes of some prompts."""
    sys.path.insert(0, checkout)
    module = importlib.import_module("transformers")
    text = {"hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 96}
    text.update(vocab_size=len(PIECES), max_position_embeddings=20)
    eyes = {"hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 512}
    eyes.update(image_size=32, patch_size=16)
    config = module.ChineseCLIPConfig(text_config=text, vision_config=eyes, projection_dim=24)
    network = module.ChineseCLIPModel(config)
    found = {"shapes": load(network, drawn_clip_state)}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
        cut = module.BertTokenizer(vocab=str(Path(folder, "vocab.txt")))
    given = cut(PROMPTS, padding=True, return_tensors="pt")
    pixels = torch.from_numpy(np.random.RandomState(5).standard_normal((BATCH, 3, 32, 32)).astype("float32"))
    with torch.no_grad():
        image = network.get_image_features(pixels)
        text = network.get_text_features(input_ids=given["input_ids"], attention_mask=given["attention_mask"])
    image, text = (getattr(one, "pooler_output", one).numpy() for one in (image, text))
    pieces = np.frombuffer(json.dumps(PIECES).encode(), dtype="uint8")
    prompts = np.frombuffer(json.dumps(PROMPTS).encode(), dtype="uint8")
    found.update(image=image, text=text, pixels=pixels.numpy(), tokens=given["input_ids"].numpy())
    found.update(pieces=pieces, prompts=prompts, logit_scale=network.logit_scale.detach().numpy())
    return found, lambda file: torch.save(network.state_dict(), file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=["rosinality", "ada", "stylegan3", "openai", "chinese"])
    parser.add_argument("checkout")
    parser.add_argument("--save", help="write the network as that code does")
    args = parser.parse_args()
    here = Path(__file__).resolve()
    makers = {"rosinality": rosinality, "openai": openai, "chinese": chinese}
    found, save = (
        makers[args.peer](args.checkout) if args.peer in makers else nvidia(args.checkout, args.peer)
    )
    np.savez_compressed(here.with_name(f"convert_{args.peer}.npz"), **found)
    if args.save:
        with open(args.save, "wb") as file:
            save(file)


if __name__ == "__main__":
    main()
