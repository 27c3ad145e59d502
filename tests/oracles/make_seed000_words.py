# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write ppstyleclip/zoo/seed000_words.safetensors: the text vectors of seed 000's mappers.

    python tests/oracles/make_seed000_words.py

Seed 000 never trains its nn.Embedding(n, 512): it draws it anew after torch.manual_seed(1), n = 4, 5 or 6.
The smaller tables are the first rows of the larger one (checked here). Made with PyTorch 2.13.0 on a CPU.
"""

import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ppstyleclip.files import write_safetensors  # noqa: E402


def table(count):
    torch.manual_seed(1)
    return torch.nn.Embedding(count, 512).weight.detach()


def main():
    words = table(6)
    assert all(torch.equal(table(count), words[:count]) for count in (4, 5))
    metadata = {"kind": "ppstyleclip words", "name": "text2image_manipulation"}
    target = ROOT / "ppstyleclip" / "zoo" / "seed000_words.safetensors"
    write_safetensors(target, {"words": words.numpy()}, metadata)


if __name__ == "__main__":
    main()
