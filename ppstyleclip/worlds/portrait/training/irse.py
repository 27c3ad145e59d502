# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""PyTorch twins of the package's identity network (IRSE50) and of its encoder of one last map into w_plus.

Their layers have the places of Paddle's in the state dict; `paddle_state` renames what the two call
differently.
"""

from __future__ import annotations

from ppstyleclip.worlds.portrait.training import checkpoint
from ppstyleclip.worlds.portrait.training.exported import OTHER
from ppstyleclip.worlds.portrait.training.network import EqualLinear, F, nn, torch

ROWS, COLUMNS = (35, 223), (32, 220)  # of a picture of FRAME pixels: what IRSE50 sees of it
FRAME, POOLED, REDUCTION = 256, 7, 16
LAST_LAYER = "BackboneEncoderUsingLastLayerIntoWPlus"
NAMES = {"running_mean": "_mean", "running_var": "_variance"}  # of batch norm, in Paddle


class Squeeze(nn.Module):
    """Scales each channel by a number in (0, 1) that depends on all channels' means."""

    def __init__(self, channels):
        super().__init__()
        hidden = max(channels // REDUCTION, 1)
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=False)
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class Block(nn.Module):
    """Residual block `[N, I, H, W]` to `[N, O, H / stride, W / stride]`."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride, self.shortcut_layer = stride, None
        if inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut_layer = nn.Sequential(conv, nn.BatchNorm2d(outputs))
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            Squeeze(outputs),
        )

    def forward(self, x):
        short = (
            x[:, :, :: self.stride, :: self.stride] if self.shortcut_layer is None else self.shortcut_layer(x)
        )
        return short + self.res_layer(x)


def trunk(widths, depths, channels=3):
    """(first layers, blocks) of an IR-SE network."""
    first = nn.Sequential(
        nn.Conv2d(channels, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.PReLU(widths[0])
    )
    blocks, before = [], widths[0]
    for width, depth in zip(widths, depths):
        blocks.append(Block(before, width, 2))
        blocks += [Block(width, width, 1) for _ in range(depth - 1)]
        before = width
    return first, nn.Sequential(*blocks)


def _by_pixel(images):
    """The channels of a pixel side by side, which a CPU convolves a quarter faster."""
    return images.contiguous(memory_format=torch.channels_last)


class Identity(nn.Module):
    """Pictures `[N, 3, H, W]` in [-1, 1] to unit vectors `[N, dim]`; the arguments are IRSE50's."""

    def __init__(self, widths, depths, face_size, dim):
        super().__init__()
        self.face_size = face_size
        self.settings = {"widths": list(widths), "depths": list(depths), "face_size": face_size, "dim": dim}
        self.input_layer, self.body = trunk(widths, depths)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(widths[-1]),
            nn.Identity(),  # dropout's place
            nn.Flatten(),
            nn.Linear(widths[-1] * (face_size // 16) ** 2, dim),
            nn.BatchNorm1d(dim),
        )

    def config(self):
        return self.settings

    def forward(self, images):
        whole = F.adaptive_avg_pool2d(images, FRAME)[:, :, slice(*ROWS), slice(*COLUMNS)]
        faces = F.adaptive_avg_pool2d(whole, self.face_size)
        return F.normalize(self.output_layer(self.body(self.input_layer(_by_pixel(faces)))), dim=1)


class Encoder(nn.Module):
    """Pictures `[N, C, S, S]` in [-1, 1] to what is added to w_plus `[N, L, D]`, at first the mean latent.

    C is 3, or 6 for ReStyle's, which sees beside each picture what its last result draws.
    """

    def __init__(self, widths, depths, input_size, num_styles, style_dim, input_channels=3):
        super().__init__()
        self.shape = num_styles, style_dim
        self.settings = {
            "encoder_type": LAST_LAYER,
            "input_size": input_size,
            "input_channels": input_channels,
            "widths": list(widths),
            "depths": list(depths),
            "num_styles": num_styles,
            "style_dim": style_dim,
        }
        self.input_layer, self.body = trunk(widths, depths, input_channels)
        self.output_layer_2 = nn.Sequential(
            nn.BatchNorm2d(widths[-1]),
            nn.AdaptiveAvgPool2d(POOLED),
            nn.Flatten(),
            nn.Linear(widths[-1] * POOLED**2, style_dim),
        )
        self.linear = EqualLinear(style_dim, num_styles * style_dim)

    def config(self):
        return self.settings

    def forward(self, images):
        x = self.output_layer_2(self.body(self.input_layer(_by_pixel(images))))
        return self.linear(x).view(-1, *self.shape)


def begin_with(encoder, arrays):
    """Take the weights of another encoder of the same make, of what `paddle_state` gave; else its trunk.

    Of a trunk as much is taken as has layers of equal shape. A first layer that sees 6 channels begins with
    the weights for 3, and 0 for the others.

    Returns:
        how many arrays were taken.
    """
    own, first = encoder.state_dict(), "input_layer.0.weight"
    given = torch_state(encoder, arrays)
    fits = {key for key, value in given.items() if key in own and own[key].shape == value.shape}
    if fits == {key for key in own if not key.endswith("num_batches_tracked")}:
        encoder.load_state_dict({**own, **{key: given[key] for key in fits}})
        return len(fits)
    taken = 0
    for key, value in given.items():
        if key == first and value.ndim == own[key].ndim and own[key].shape[1] > value.shape[1]:
            value = F.pad(value, (0, 0, 0, 0, 0, own[key].shape[1] - value.shape[1]))
        if key.startswith(("input_layer.", "body.")) and key in own and own[key].shape == value.shape:
            own[key] = value
            taken += 1
    encoder.load_state_dict(own)
    return taken


def paddle_state(network):
    """`{name: float32 array}` of a twin as the Paddle network's state dict has it."""
    kinds, state = dict(network.named_modules()), {}
    for key, value in network.state_dict().items():
        place, _, name = key.rpartition(".")
        if name == "num_batches_tracked":
            continue
        if isinstance(kinds[place], nn.PReLU):
            name = "_weight"
        elif isinstance(kinds[place], nn.Linear) and name == "weight":
            value = value.t()
        state[f"{place}.{NAMES.get(name, name)}"] = value.detach().float().contiguous().numpy()
    return state


def torch_state(network, arrays):
    """`{name: tensor}` of what `paddle_state` gave, by the names of a twin."""
    names, state = {v: k for k, v in NAMES.items()}, {}
    kinds = dict(network.named_modules())
    for key, value in arrays.items():
        place, _, name = key.rpartition(".")
        value = torch.from_numpy(value.astype("float32"))
        name = "weight" if name == "_weight" else names.get(name, name)
        if isinstance(kinds.get(place), nn.Linear) and name == "weight":
            value = value.t()
        state[f"{place}.{name}"] = value
    return state


def load_paddle_state(network, arrays, path):
    """Put what `paddle_state` gave, out of the file `path`, back into a twin."""
    state = torch_state(network, arrays)
    counts = {k: v for k, v in network.state_dict().items() if k.endswith("num_batches_tracked")}
    checkpoint.put(network, {**state, **counts}, path, OTHER)
