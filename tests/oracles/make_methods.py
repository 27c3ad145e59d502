# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write methods.npz: the first steps of the peers' own loops of optimisation and of mapper training.

    python tests/oracles/make_methods.py STYLECLIP TEXT2IMAGE STYLECLIP_GAN3 STYLEGAN_PROJECT CLIP

The arguments are checkouts of orpatashnik/StyleCLIP, yubin1219/text2image_manipulation (seed 000),
xomyakes/styleclip-gan3 (seed 004), ChoiDae1/StyleGAN_Project (seed 001) and openai/CLIP. The stored numbers
are from commits f87a47f7, 6053b4d1, cc6a6ea9, 859ae31 and d05afc43 on PyTorch 2.13.0, torchvision 0.29.2,
on a CPU.

Their loops, losses, schedules, optimisers and mappers run as they are, with their default numbers for
1024 px, but on networks a sixteenth of the size: StyleCLIP's generator at 64 px, OpenAI's CLIP at 14 px, a
stand-in for the identity network. They compute in float64, so that what differs is our rounding (Ranger
itself is float32).
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import sys
import tempfile
import types
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from methods_world import (
    CHANNELS,
    CLIP,
    FACE_SHAPE,
    LAYERS,
    SIZE,
    STYLE_DIM,
    STYLE_DIMS,
    TEXTS,
    face_weight,
    latents_of,
    mapper_batches,
    text_table,
)
from seeded_weights import drawn_clip_state, drawn_state
from torch_peers import checkout, load_keyed

STEPS = 5  # of optimisation that are kept; rates are kept of all
TRAINED = 12  # steps of training: Ranger's lookahead happens at 6 and 12
NARROW = {512: STYLE_DIM, 1024: 2 * STYLE_DIM}


def put(network, drawn):
    """Weights into a torch network, in float64; its shapes as stored bytes."""
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    network.load_state_dict({key: torch.from_numpy(value) for key, value in drawn(shapes).items()})
    network.double().eval()
    return np.frombuffer(json.dumps(shapes, separators=(",", ":")).encode(), dtype="uint8")


def small_generator(load):
    """A peer's own Generator with few channels, and without its own initial weights."""
    model = load("models.stylegan2.model")
    wide = {name: getattr(model, name) for name in ("ConstantInput", "StyledConv", "ToRGB")}
    model.ConstantInput = lambda c, **k: wide["ConstantInput"](CHANNELS, **k)
    model.StyledConv = lambda i, o, *a, **k: wide["StyledConv"](CHANNELS, CHANNELS, *a, **k)
    model.ToRGB = lambda i, *a, **k: wide["ToRGB"](CHANNELS, *a, **k)
    generator = model.Generator(SIZE, STYLE_DIM, 2)
    shapes = put(generator, drawn_state)
    generator.requires_grad_(False)
    return generator, shapes


def small_clip(folder):
    """OpenAI's CLIP; texts are rows of a table, which only their number names."""
    spec = importlib.util.spec_from_file_location("openai_clip_model", Path(folder, "clip", "model.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.LayerNorm.forward = torch.nn.LayerNorm.forward  # the class turns to float32 and back
    network = module.CLIP(**CLIP)
    shapes = put(network, drawn_clip_state)
    network.logit_scale.data.fill_(np.log(100))
    network.requires_grad_(False)
    table = torch.from_numpy(text_table()).double()
    network.encode_text = lambda numbers: table[numbers]
    return network, shapes


def fake_clip_package(network):
    """What `import clip` gives the peers."""

    def tokenize(texts):
        return torch.tensor([TEXTS.index(text) for text in ([texts] if isinstance(texts, str) else texts)])

    package = types.ModuleType("clip")
    package.tokenize, package.load = tokenize, lambda *args, **kwargs: (network, None)
    return package


class Face(torch.nn.Module):
    """In place of IR-SE50: a face `[N, 3, 112, 112]`, made small, through one matrix."""

    def __init__(self, **kwargs):
        super().__init__()
        self.weight = torch.from_numpy(face_weight()).double()

    def load_state_dict(self, state):
        pass

    def forward(self, x):
        small = torch.nn.functional.adaptive_avg_pool2d(x, FACE_SHAPE[1])
        return torch.nn.functional.normalize(small.flatten(1) @ self.weight, dim=1)


@contextlib.contextmanager
def peer(folder, *, package, saved=None):
    """Import from a peer on this machine: no GPU, a CLIP of ours, and torch.load gives `saved`."""
    stubs = {"clip": package}
    for name, words in {
        "torch.utils.tensorboard": ["SummaryWriter"],
        "janus": ["Queue", "SyncQueue"],
        "socketio": ["AsyncServer"],
    }.items():
        stubs[name] = types.ModuleType(name)
        for word in words:
            setattr(stubs[name], word, None)
    before, torch_load = {name: sys.modules.get(name) for name in stubs}, torch.load
    sys.modules.update(stubs)
    torch.load = lambda *args, **kwargs: saved
    torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *args: self
    try:
        with checkout(folder) as load:
            del sys.modules["models.stylegan2.op"]  # theirs run on a CPU
            yield load
    finally:
        torch.load = torch_load
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


@contextlib.contextmanager
def recorded(name):
    """Write down the rate and the latents of each step of a torch.optim class."""
    kind, steps = getattr(torch.optim, name), []

    class Recorded(kind):
        def step(self, *args, **kwargs):
            group = self.param_groups[0]
            super().step(*args, **kwargs)
            steps.append((group["lr"], torch.cat([p.detach().flatten(1) for p in group["params"]], dim=1)))

    setattr(torch.optim, name, Recorded)
    try:
        yield steps
    finally:
        setattr(torch.optim, name, kind)


def kept(steps, losses):
    """What is stored of an optimisation."""
    return {
        "rates": np.array([rate for rate, _ in steps]),
        "latents": np.stack([latent.numpy() for _, latent in steps[:STEPS]]).astype("float32"),
        "clip": np.array([float(loss) for loss in losses[:STEPS]]),
    }


def official(folder, package):
    """optimization/run_optimization.py, 300 steps in w_plus, and with the identity loss, and in s."""
    found = {}
    start = torch.from_numpy(latents_of(1)).double()
    for case, changes in {
        "official": {},
        "official_identity": {"id_lambda": 0.005},
        "official_s": {"work_in_stylespace": True},
    }.items():
        with peer(folder, package=package, saved=start) as load, recorded("Adam") as steps:
            run = load("optimization.run_optimization")
            generator, found["generator"] = small_generator(load)
            generator.load_state_dict = run.ensure_checkpoint_exists = lambda *args, **kwargs: None
            run.Generator = lambda *args, made=generator: made
            load("criteria.id_loss").Backbone = Face
            run.STYLESPACE_INDICES_WITHOUT_TORGB = [k for k in range(len(STYLE_DIMS)) if k % 3 != 1]
            losses = noting(run.CLIPLoss)
            torch.load = lambda path, **kwargs: start if path == "latent" else {"g_ema": None}
            with tempfile.TemporaryDirectory() as place:
                run.main(
                    SimpleNamespace(
                        **{
                            "ckpt": "",
                            "description": TEXTS[0],
                            "results_dir": place,
                            "stylegan_size": 1024,
                            "latent_path": "latent",
                            "mode": "edit",
                            "truncation": 0.7,
                            "work_in_stylespace": False,
                            "lr": 0.1,
                            "step": 300,
                            "id_lambda": 0.0,
                            "l2_lambda": 0.008,
                            "ir_se50_weights": "",
                            "save_intermediate_image_every": 0,
                            **changes,
                        }
                    )
                )
        found.update({f"{case}/{name}": value for name, value in kept(steps, losses).items()})
    return found, generator


def seed001(folder, package, generator):
    """The cells of StyleCLIP.ipynb that optimise, one after the other."""
    cells = json.loads(Path(folder, "StyleCLIP.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    latent = torch.from_numpy(latents_of(1)).double()
    space = {
        "torch": torch,
        "g_synthesis": lambda w: drawn(generator, w),
        "latent_code_init": latent,
        "img_name": "face",
        "device": "cpu",
        "print": lambda *args: None,
    }
    here = os.getcwd()
    sys.modules["clip"] = package
    with tempfile.TemporaryDirectory() as place, recorded("Adam") as steps:
        os.chdir(place)
        for mark in ("class CLIPLoss", "args = Namespace()", "def get_lr", "for i in range(args.step)"):
            source = next(text for text in sources if mark in text)
            if mark == "args = Namespace()":
                source += f"\nargs.description = {TEXTS[0]!r}"
            exec(compile(source, mark, "exec"), space)
            if mark == "class CLIPLoss":
                losses = noting(space["CLIPLoss"])
        os.chdir(here)
    del sys.modules["clip"]
    return {f"seed001/{name}": value for name, value in kept(steps, losses).items()}


def noting(kind):
    """Write down what a loss class gives; the list that fills."""
    losses, forward = [], kind.forward

    def noted(self, *args):
        loss = forward(self, *args)
        losses.append(float(loss.sum()))
        return loss

    kind.forward = noted
    return losses


def drawn(generator, w_plus):
    return generator([w_plus], input_is_latent=True, randomize_noise=False)[0]


def seed004(folder, package, network, generator):
    """ImageProcessor.optimize_latent; its identity loss has no gradient, so any network will do."""
    with peer(folder, package=package) as load, recorded("AdamW") as steps:
        for name in ("src.loader", "src.encoder"):
            sys.modules[name] = types.ModuleType(name)
        sys.modules["src.loader"].Loader = None
        sys.modules["src.encoder"].prepare_image_to_inversion = sys.modules["src.encoder"].get_latents = None
        processor = load("src.image_processor")
        losses, whole = [], processor.clip_loss
        processor.clip_loss = lambda *args: (losses.append(whole(*args)), losses[-1])[1]
        network.visual.input_resolution = CLIP["image_resolution"]
        face = torch.nn.Sequential(torch.nn.AvgPool2d(16), torch.nn.Flatten())
        own = SimpleNamespace(
            device="cpu",
            clip_model=network,
            arcface_model=face,
            sio=None,
            stylegan=SimpleNamespace(synthesis=lambda w: drawn(generator, w)),
        )
        start = torch.from_numpy(latents_of(1)).double()
        with tempfile.TemporaryDirectory() as place:
            asyncio.run(
                processor.ImageProcessor.optimize_latent(
                    own, torch.zeros(3, 64, 64), start, TEXTS[0], os.path.join(place, "face.png")
                )
            )
    return {f"seed004/{name}": value for name, value in kept(steps, losses).items()}


def train(folder, package, case, options, batches):
    """Coach.train over some batches; losses of each step, and how far weights of the mapper moved."""
    with peer(folder, package=package) as load:
        generator, _ = small_generator(load)
        mappers = load("mapper.latent_mappers")
        wide = mappers.EqualLinear
        mappers.EqualLinear = lambda i, o, **k: wide(NARROW.get(i, i), NARROW.get(o, o), **k)
        mappers.STYLESPACE_DIMENSIONS = STYLE_DIMS
        load("mapper.training.train_utils").STYLESPACE_DIMENSIONS = STYLE_DIMS
        load("criteria.id_loss").Backbone = Face
        module = load("mapper.training.coach")
        opts = SimpleNamespace(
            **{
                "no_coarse_mapper": False,
                "no_medium_mapper": False,
                "no_fine_mapper": False,
                "id_lambda": 0.1,
                "clip_lambda": 1.0,
                "latent_l2_lambda": 0.8,
                "learning_rate": 0.5,
                "optim_name": "ranger",
                "stylegan_size": 1024,
                "ir_se50_weights": "",
                "max_steps": TRAINED - 1,
                "description": TEXTS[0],
                "work_in_stylespace": False,
                "text_embed_mode": "nn.embedding",
                "mapper_mode": "Mapper",
                "image_interval": 10**6,
                "board_interval": 10**6,
                "val_interval": 10**6,
                "save_interval": 10**6,
                **options,
            }
        )
        kind = "WithoutToRGBStyleSpaceMapper" if opts.work_in_stylespace else "LevelsMapper"
        coach = module.Coach.__new__(module.Coach)
        coach.opts, coach.device, coach.global_step, coach.best_val_loss = opts, "cpu", 0, None
        coach.net = torch.nn.Module()
        coach.net.mapper, coach.net.decoder = getattr(mappers, kind)(opts), generator
        shapes = load_keyed(coach.net.mapper, lr_mul=0.01)
        coach.net.mapper.double()
        before = {key: value.clone() for key, value in coach.net.mapper.state_dict().items()}
        coach.id_loss = module.id_loss.IDLoss(opts)
        coach.clip_loss, coach.latent_l2_loss = module.clip_loss.CLIPLoss(opts), torch.nn.MSELoss()
        coach.text_inputs = package.tokenize(TEXTS[0])
        coach.optimizer, coach.train_dataloader = coach.configure_optimizers(), batches
        losses, calc = [], coach.calc_loss

        def noted(*args):
            loss, terms = calc(*args)
            losses.append([terms[name] for name in ("loss_clip", "loss_l2_latent", "loss_id", "loss")])
            return loss, terms

        coach.calc_loss = noted
        for name in ("validate", "checkpoint_me", "parse_and_log_images", "print_metrics", "log_metrics"):
            setattr(coach, name, lambda *args, **kwargs: None)
        coach.train()
    moved = {key: (value - before[key]).numpy() for key, value in coach.net.mapper.state_dict().items()}
    return {
        f"{case}/shapes": shapes,
        f"{case}/losses": np.array(losses),
        **{
            f"{case}/moved/{key}": value.reshape(-1)[::7].astype("float32")
            for key, value in moved.items()
            if key.endswith((".1.weight", ".2.bias"))
        },
    }


def training(styleclip, text2image, package):
    found = {}
    batches = [torch.from_numpy(w).double() for w, _, _ in mapper_batches("Mapper", TRAINED)]
    found.update(train(styleclip, package, "levels", {}, batches))
    styles = [torch.from_numpy(s).double() for s, _, _ in mapper_batches("styles", TRAINED)]
    widths = np.cumsum([0, *STYLE_DIMS])
    padded = [
        torch.cat(
            [torch.nn.functional.pad(s[:, a:b], (0, 512 - (b - a))) for a, b in zip(widths, widths[1:])],
            dim=1,
        )[:, None, :, None, None]
        for s in styles
    ]
    found.update(train(styleclip, package, "styles", {"work_in_stylespace": True}, padded))
    for mode in ("Mapper_sum", "Mapper_multi", "Mapper_cat"):
        batches = []
        for w, text, names in mapper_batches(mode, TRAINED):
            w, text = torch.from_numpy(w).double(), torch.from_numpy(text).double()[:, None]
            both = torch.cat([text.expand(-1, LAYERS, -1), w], dim=-1) if mode == "Mapper_cat" else w + text
            batches.append([both, w, [(name,) for name in names] if mode == "Mapper_multi" else names])
        found.update(train(text2image, package, mode, {"mapper_mode": mode}, batches))
    return found


def ranger(folder, package):
    """The published optimiser on drawn gradients."""
    with peer(folder, package=package) as load:
        random = np.random.RandomState(7)
        weights = [
            torch.nn.Parameter(torch.from_numpy(random.randn(*shape).astype("float32")))
            for shape in ((6, 4), (4,), (3, 5))
        ]
        optimizer, found = load("mapper.training.ranger").Ranger(weights, lr=0.5), []
        for _ in range(2 * TRAINED):
            for weight in weights:
                weight.grad = torch.from_numpy(random.randn(*weight.shape).astype("float32"))
            optimizer.step()
            found.append(np.concatenate([weight.detach().numpy().reshape(-1) for weight in weights]))
    return {"ranger": np.stack(found)}


def main():
    styleclip, text2image, gan3, project, openai = sys.argv[1:]
    torch.set_default_dtype(torch.float64)
    network, clip_shapes = small_clip(openai)
    package = fake_clip_package(network)
    arrays, generator = official(styleclip, package)
    arrays["clip"] = clip_shapes
    arrays.update(seed001(project, package, generator))
    arrays.update(seed004(gan3, package, network, generator))
    arrays.update(training(styleclip, text2image, package))
    arrays.update(ranger(styleclip, package))
    np.savez_compressed(Path(__file__).with_name("methods.npz"), **arrays)


if __name__ == "__main__":
    main()
