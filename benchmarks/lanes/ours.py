# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Our lanes: the engine, and the same networks in Paddle's eager mode."""

from __future__ import annotations

import tempfile
import warnings

import numpy as np
from drawn import GRADIENT_SIDE, Timed, drawn, generator_state, pictures, stylegan3_weights

from ppstyleclip.threads import import_paddle

paddle = import_paddle()
warnings.filterwarnings("error", message="not compiled")  # eager arithmetic must not be timed as the engine's

TAPS = (1, 3, 3, 1)
RESAMPLINGS = {"up": {"up": 2, "pad": (2, 1), "gain": 4.0}, "blur": {"pad": (1, 1), "gain": 4.0}}


def make_generator(size):
    """The generator of every lane of this size."""
    from ppstyleclip.models.stylegan2 import StyleGANv2Generator

    generator = StyleGANv2Generator(size, 512, 8)
    shapes = {key: value.shape for key, value in generator.state_dict().items()}
    state = {key: paddle.to_tensor(value) for key, value in generator_state(shapes).items()}
    generator.set_state_dict({**generator.state_dict(), **state})
    generator.eval()
    for parameter in generator.parameters():
        parameter.stop_gradient = True
    return generator


def make_clip():
    """CLIP ViT-B/32 with the random weights of every Paddle lane."""
    from ppstyleclip.models.clip import build_clip

    paddle.seed(0)
    clip = build_clip("ViT_B_32")
    for parameter in clip.parameters():
        parameter.stop_gradient = True
    return clip


@paddle.no_grad()
def make_styles(generator, batch):
    """K styles `[batch, C_k]` of drawn latents."""
    return generator.style_affine(generator.get_latent(paddle.to_tensor(drawn("z", [batch, 512]))))


def by_batch(draw, styles, batches):
    """Steps of `draw` for the first 1, 4, ... of the styles."""
    parts = {str(n): [style[:n] for style in styles] for n in batches}
    return {name: (lambda part=part: draw(part)) for name, part in parts.items()}


def synthesis_engine(size, batches, precision):
    from ppstyleclip.engine import compile_synthesis

    generator = make_generator(size)
    draw = compile_synthesis(generator, precision=precision)
    return by_batch(draw, [style.numpy() for style in make_styles(generator, max(batches))], batches)


def synthesis_eager(size, batches):
    generator = make_generator(size)

    @paddle.no_grad()
    def draw(styles):
        return generator.synthesis_from_styles(styles).numpy()

    return by_batch(draw, make_styles(generator, max(batches)), batches)


def stylegan3_engine(size, configuration):
    """The synthesis of one picture by a StyleGAN3."""
    from ppstyleclip.engine import compile_synthesis

    generator = make_stylegan3(size, configuration)
    styles = [style.numpy() for style in make_styles(generator, 1)]
    draw = compile_synthesis(generator)
    del generator
    draw.compile()  # a slow picture is drawn once, and loading is not drawing
    return {"1": lambda: draw(styles)}


def make_stylegan3(size, configuration):
    """A StyleGAN3 with the weights of NVIDIA's lane; without that lane with random ones of Paddle's."""
    from ppstyleclip.convert.stylegan3 import recognised_stylegan3
    from ppstyleclip.models.stylegan3 import StyleGAN3Generator, build_generator

    path = stylegan3_weights(size, configuration)
    if path.exists():
        with np.load(path) as file:
            state = dict(file)
        converted = recognised_stylegan3(state, state, {}).convert()
        generator = build_generator(converted.config)
        generator.set_state_dict({key: paddle.to_tensor(value) for key, value in converted.state.items()})
    else:
        paddle.seed(0)
        generator = StyleGAN3Generator(size, 512, configuration)
    generator.eval()
    return generator


def resampling(kind, x):
    """Our upfirdn2d as StyleGAN2 uses it."""
    from ppstyleclip.ops import setup_filter, upfirdn2d

    return upfirdn2d(x, setup_filter(TAPS), **RESAMPLINGS[kind])


def resampling_steps(shapes, resample):
    """Forward and with-gradient steps of an eager `resample(kind, x)`."""
    steps = {}
    for name, (kind, shape) in shapes.items():
        x = paddle.to_tensor(drawn(name, shape))
        leaf = paddle.to_tensor(drawn(name, shape), stop_gradient=False)
        with paddle.no_grad():
            seed = paddle.to_tensor(drawn("seed", resample(kind, x).shape))

        @paddle.no_grad()
        def forward(kind=kind, x=x):
            return resample(kind, x)

        def both(kind=kind, leaf=leaf, seed=seed):
            return paddle.grad(resample(kind, leaf), leaf, seed)[0]

        steps.update({name: forward, f"{name}-gradient": both})
    return steps


def upfirdn2d_eager(shapes):
    return resampling_steps(shapes, resampling)


class Resampling(paddle.nn.Layer):
    """upfirdn2d alone, for the exporter; `marker` gives the program the file of weights that it must have."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.marker = kind, self.create_parameter([1])

    def forward(self, tensors):
        return resampling(self.kind, tensors["x"]), self.marker + 1


def program_step(layer, x):
    """Run a Layer's exported program; the arrays are copied in and out before and after, not in the step."""
    from ppstyleclip.engine import Program, export, run

    with tempfile.TemporaryDirectory() as folder:
        export(layer, {"x": list(x.shape)}, folder)
        program = Program(folder)
    program({"x": x})
    predictor = program._loaded._predictor

    def step():
        run(predictor.run)  # programs run on the thread that loaded them
        return predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu

    return step


def upfirdn2d_engine(shapes):
    return {
        name: program_step(Resampling(kind), drawn(name, shape)) for name, (kind, shape) in shapes.items()
    }


class Convolution(paddle.nn.Layer):
    """One 3x3 convolution that keeps its channels."""

    def __init__(self, channels):
        super().__init__()
        self.convolution = paddle.nn.Conv2D(channels, channels, 3, padding=1)

    def forward(self, tensors):
        return self.convolution(tensors["x"])


def convolutions_engine(shapes):
    return {
        name: program_step(Convolution(channels), drawn(name, [1, channels, side, side]))
        for name, (channels, side) in shapes.items()
    }


def clip_engine(batch, precision):
    from ppstyleclip.engine import compile_image_encoder

    clip, images = make_clip(), pictures(batch, 224)
    encode = compile_image_encoder(clip, 224, precision=precision)
    return {"encode": lambda: encode(images)}


def clip_eager(batch):
    clip, images = make_clip(), paddle.to_tensor(pictures(batch, 224))

    @paddle.no_grad()
    def encode():
        return clip.encode_image(images).numpy()

    return {"encode": encode}


def style_world(generator, images):
    """(styles of the base images, mean, deviation): lists of K arrays, from 64 drawn latents."""
    styles = [style.numpy() for style in make_styles(generator, 64)]
    return [s[:images] for s in styles], [s.mean(0) for s in styles], [s.std(0) for s in styles]


def relevance(layers, block_size, images):
    """The second block of `layers` editable layers, which are spread like the channels.

    The first block of a layer loads the layer's program as well; a whole job does so once in many blocks.
    """
    from ppstyleclip.engine import CompiledNetworks
    from ppstyleclip.methods.global_directions import RelevanceConfig, compute_relevance
    from ppstyleclip.methods.global_directions.blocks import split_blocks
    from ppstyleclip.stylespace import StyleStats

    generator, clip = make_generator(GRADIENT_SIDE), make_clip()
    layout = generator.layout
    base, mean, std = style_world(generator, images)
    base, stats = layout.flatten(base), StyleStats(np.concatenate(mean), np.concatenate(std), 64)
    every = split_blocks(layout, block_size)
    chosen = [every[i].k for i in np.linspace(0, len(every) - 1, layers).astype(int)]
    pairs = [[block for block in every if block.k == k][:2] for k in chosen]
    channels = np.concatenate([block.channels for pair in pairs for block in pair])
    config = RelevanceConfig(block_size=block_size, channels=tuple(channels))
    compiled = CompiledNetworks(generator, clip)

    def measure():
        records = list(compute_relevance(generator, clip, stats, config, s_base=base, compiled=compiled))
        return Timed(sum(r.seconds for r in records[1::2]), np.concatenate([r.rows for r in records]))

    return {"channels": measure}


class GradientStep(paddle.nn.Layer):
    """Synthesis, CLIP and one minus the cosine to a target: what an optimisation step differentiates."""

    def __init__(self, draw, clip, names):
        super().__init__()
        self.draw, self.clip, self.names = draw, clip, names

    def forward(self, tensors):
        images, target = self.draw([tensors[name] for name in self.names]), tensors["target"]
        features = self.clip.encode_image(images)
        # Means, which cancel: sum() cannot be exported to the old kind of program.
        norm = paddle.pow(paddle.mean(features * features) * paddle.mean(target * target), -0.5)
        return [1 - paddle.mean(features * target) * norm]


def gradient_inputs(generator, clip):
    """`{name: array}` of the styles and the target, and the names of the styles."""
    styles = {f"style_{k:02d}": style.numpy() for k, style in enumerate(make_styles(generator, 1))}
    return {**styles, "target": drawn("target", [1, clip.dim])}, list(styles)


def gradient_eager():
    generator, clip = make_generator(GRADIENT_SIDE), make_clip()
    arrays, names = gradient_inputs(generator, clip)
    step = GradientStep(generator.synthesis_from_styles, clip, names)
    tensors = {name: paddle.to_tensor(a, stop_gradient=name == "target") for name, a in arrays.items()}

    def differentiate():
        gradients = paddle.grad(step(tensors), [tensors[name] for name in names])
        return np.concatenate([gradient.numpy().ravel() for gradient in gradients])

    return {"step": differentiate}


def gradient_engine():
    from ppstyleclip.engine import compile_gradient
    from ppstyleclip.models.forms import inference_of

    generator, clip = make_generator(GRADIENT_SIDE), make_clip()
    arrays, names = gradient_inputs(generator, clip)
    step = GradientStep(inference_of(generator).differentiable(), clip, names)
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    run = compile_gradient(step, shapes, names)  # the cache is this run's own

    def differentiate():
        gradients = run(arrays)[1]
        return np.concatenate([gradients[name].ravel() for name in names])

    return {"step": differentiate}
