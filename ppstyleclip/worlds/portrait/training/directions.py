# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write the world's named directions and its bank of faces, both in closed form, into a pack's folder.

    python -m ppstyleclip.worlds.portrait.training.directions --pack ppstyleclip/worlds/portrait/pack

A direction is how w changes with a factor while all others stay: the slopes of w over the factors of 10,000
people, by least squares. Its unit is one deviation of the factor. `gender` and `age` are exceptions: they
take along what goes with them among people, such as lipstick, length of hair and no beard, or grey hair;
`feminine` is the face alone. The bank holds people who are no extremes, whom the generator draws as the
renderer does, as unlike one another as can be.
"""

from __future__ import annotations

import numpy as np

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.methods.labelled_directions import latent_slopes
from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX, factors_from_z, sample_z

SEED, SAMPLES = 555, 10_000
BANK_SEED, CANDIDATES, BANK = 777, 3000, 36
EXTREME, DYED = 1.9, 1.3  # factors beyond it keep a person out of the bank
SEEN = 160  # candidates whose pictures are compared
WITH_ALL = {"gender": "feminine", "age": "age"}  # directions that take along what goes with a factor
RENAMED = {"head_turn": "yaw"}  # the name that directions of other models have
UNLIKE = ("feminine", "age", "skin_tone", "hair_lightness", "hair_length", "hair_curl", "glasses", "smile")


def find_directions(w, factors):
    """`{name: [1, D] float32}` of latents `[N, D]` and the factors `[N, NUM_FACTORS]` that they name."""
    slopes = latent_slopes(w, factors)
    found = {RENAMED.get(name, name): slopes[i] for i, name in enumerate(FACTORS)}
    for name, factor in WITH_ALL.items():
        found[name] = latent_slopes(w, factors[:, [INDEX[factor]]])[0]
    return {name: slope[None].astype(np.float32) for name, slope in sorted(found.items())}


def choose_bank(z, draw, render, count=BANK):
    """`[count]` rows of z: people of the bank.

    Args:
        z: `[N, Z_DIM]`.
        draw: function from z to the generator's pixels.
        render: function from factors to the renderer's pixels.
        count: of the bank.
    """
    factors = factors_from_z(z)
    plain = (np.abs(factors).max(1) < EXTREME) & (np.abs(factors[:, INDEX["hair_dye"]]) < DYED)
    rows = np.flatnonzero(plain)[:SEEN]
    off = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(draw(z[rows]), render(factors[rows]))]
    rows = rows[np.argsort(off)[: max(count, 3 * len(rows) // 4)]]
    kinds = factors[rows][:, [INDEX[name] for name in UNLIKE]]
    chosen = [0]
    while len(chosen) < min(count, len(rows)):
        chosen.append(int(_nearest(kinds, kinds[chosen]).argmax()))
    return rows[chosen]


def _nearest(points, others):
    """Distance `[N]` of each point from the nearest of others."""
    return np.sqrt(((points[:, None] - others[None]) ** 2).sum(-1)).min(1)


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--pack", required=True, help="folder with generator.safetensors")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    paddle = import_paddle()
    from ppstyleclip.files import check_writable
    from ppstyleclip.pictures import to_pixels
    from ppstyleclip.worlds.portrait.render import render_batch
    from ppstyleclip.zoo import generator_fingerprint, load_generator, save_directions, save_latents
    from ppstyleclip.zoo.pack import GENERATOR, LATENTS
    from ppstyleclip.zoo.stored_directions import DIRECTIONS

    folder = check_writable(args.pack)
    generator = load_generator(folder / GENERATOR)[0]
    mark = generator_fingerprint(generator)

    def latents(z):
        with paddle.no_grad():
            return generator.get_latents(paddle.to_tensor(z)).numpy()

    def draw(z):
        with paddle.no_grad():
            styles = generator.style_affine(paddle.to_tensor(latents(z)))
            return to_pixels(generator.synthesis_from_styles(styles, noise="const").numpy())

    def draw_all(z):
        return np.concatenate([draw(z[k : k + 16]) for k in range(0, len(z), 16)])

    z = sample_z(SEED, SAMPLES)
    directions = find_directions(latents(z)[:, 0], factors_from_z(z))
    save_directions(folder / DIRECTIONS, directions, generator=mark)
    print(f"{folder / DIRECTIONS}: {', '.join(directions)}", flush=True)
    z = sample_z(BANK_SEED, CANDIDATES)
    rows = choose_bank(z, draw_all, lambda factors: render_batch(factors, generator.size))
    save_latents(folder / LATENTS, latents(z[rows]), generator=mark, half=True)
    print(f"{folder / LATENTS}: {len(rows)} faces", flush=True)


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
