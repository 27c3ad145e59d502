# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Losses of optimisation and of mappers: one number for each picture, differentiable in the picture.

Networks come as arguments. Each loss keeps the batch apart, `[N]` or `[N, T]`: the sum treats every picture
as if it were alone, the mean is what the published code with its batches takes.
"""

from __future__ import annotations

import paddle
import paddle.nn.functional as F

from ppstyleclip.ops.area import resize_area
from ppstyleclip.ops.bicubic import resize_centre_crop

__all__ = [
    "CLIP_VIEWS",
    "MAX_CROPS",
    "clip_crop_features",
    "clip_image_features",
    "clip_loss",
    "identity_loss",
    "l2_loss",
    "vgg_loss",
    "vgg_maps",
]

CLIP_VIEWS = ("official", "seed001", "seed004", "clip")
REDUCTIONS = ("sum", "mean")
_CORNERS = ((0, 0), (1, 1), (1, 0), (0, 1))  # where the crops beside the whole picture are cut, in margins
MAX_CROPS = 1 + len(_CORNERS)


def clip_image_features(clip, images, view="official") -> paddle.Tensor:
    """CLIP's features of pictures, prepared as one of the published codes prepares them.

    Args:
        clip: ClipModel with input size S.
        images: `[N, 3, H, H]`, RGB in [-1, 1].
        view: "official": values as they are, areas averaged to S (StyleCLIP and seed 000 enlarge 7 times and
            pool, which is the same; CLIP's mean and deviation are left out). "seed001": the same of values
            in [0, 1], clamped. "seed004": in [0, 1], clamped, bicubic to S, CLIP's mean and deviation.
            "clip": as CLIP's own preprocessing of a saved picture, which also clamps what rings.
    Returns:
        `[N, D]`, unit vectors.
    Raises:
        ValueError: an unknown view, or pictures of another shape.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3]:
        raise ValueError(f"images have shape {list(images.shape)}, expected [N, 3, H, H]")
    if view == "clip":
        return F.normalize(clip.encode_image(images), axis=1)
    if view == "official":
        return F.normalize(clip.encode_view(resize_area(images, clip.image_size)), axis=1)
    pixels = paddle.clip(images * 0.5 + 0.5, 0.0, 1.0)
    if view == "seed001":
        return F.normalize(clip.encode_view(resize_area(pixels, clip.image_size)), axis=1)
    if view == "seed004":
        pixels = resize_centre_crop(pixels, clip.image_size, clamp=False)
        return F.normalize(clip.encode_pixels(pixels), axis=1)
    raise ValueError(f"unknown CLIP view {view!r}; known: {', '.join(CLIP_VIEWS)}")


def clip_crop_features(clip, images, *, view="official", crops=1, margin=0.05) -> paddle.Tensor:
    """CLIP's features of pictures, averaged over the whole picture and crops of it from the corners.

    Args:
        clip, images, view: as for clip_image_features.
        crops: 1, the whole picture; up to MAX_CROPS, also crops of it.
        margin: what a crop leaves out, as a share of the picture's side.
    Returns:
        `[N, D]`, unit vectors.
    """
    side = images.shape[-1]
    cut = max(1, round(margin * side))
    seen = [images] + [
        images[:, :, y * cut : side - (1 - y) * cut, x * cut : side - (1 - x) * cut]
        for x, y in _CORNERS[: crops - 1]
    ]
    features = [clip_image_features(clip, picture, view) for picture in seen]
    return features[0] if len(features) == 1 else F.normalize(paddle.add_n(features), axis=1)


def clip_loss(features, texts) -> paddle.Tensor:
    """One minus the cosine between pictures and texts (StyleCLIP, equation 1).

    Args:
        features: `[N, D]` unit vectors of the pictures, from clip_image_features or clip_crop_features.
        texts: `[N or 1, T, D]` unit vectors; the T texts of each picture.
    Returns:
        `[N, T]`, from 0 to 2.
    Raises:
        ValueError: texts of another CLIP, or not as many as pictures.
    """
    if texts.ndim != 3 or texts.shape[2] != features.shape[1]:
        raise ValueError(f"texts have shape {list(texts.shape)}, expected [N or 1, T, {features.shape[1]}]")
    features = features.reshape([-1, 1, features.shape[1]])  # unsqueeze has no gradient in old programs
    return 1.0 - paddle.sum(features * texts, axis=2)


def l2_loss(latent, start, *, reduction) -> paddle.Tensor:
    """Squared distance between latents.

    Args:
        latent: `[N, ...]`: w_plus, flat styles, or one layer's style.
        start: of the same shape, or with N = 1.
        reduction: "sum" over a picture's numbers, as StyleCLIP's optimisation, or "mean", as the mappers and
            seed 004. In style space the official mapper adds up the means of the layers: call this for each.
    Returns:
        `[N]`.
    Raises:
        ValueError: an unknown reduction or shapes that disagree.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"unknown reduction {reduction!r}; known: {', '.join(REDUCTIONS)}")
    if latent.shape[1:] != start.shape[1:] or start.shape[0] not in (1, latent.shape[0]):
        raise ValueError(f"latents have shapes {list(latent.shape)} and {list(start.shape)}")
    squares, axes = (latent - start) ** 2, list(range(1, latent.ndim))  # flatten has no compiled gradient
    return squares.sum(axis=axes) if reduction == "sum" else squares.mean(axis=axes)


def identity_loss(network, images, reference) -> paddle.Tensor:
    """One minus the cosine between who is in the pictures and who shall be.

    Args:
        network: with `identity_features`, such as IRSE50 or ResNetFace18.
        images: `[N, 3, H, H]`, RGB in [-1, 1].
        reference: `[N or 1, D]`, identity_features of the pictures to be kept; no gradient goes there.
    Returns:
        `[N]`, from 0 to 2.
    """
    return 1.0 - paddle.sum(network.identity_features(images) * reference.detach(), axis=1)


def vgg_maps(vgg, images, taps, *, side=256) -> list:
    """VGG's features of pictures as seed 001 takes them, for vgg_loss.

    Parity: VGG sees values in [0, 1] without ImageNet's normalisation, and pictures are resized without
    antialiasing, because seed 001 does both.

    Args:
        vgg: VGG16.
        images: `[N, 3, H, W]`, RGB in [-1, 1] (clamped).
        taps: layers, such as IMAGE2STYLEGAN_TAPS.
        side: pictures are resized to this side.
    Returns:
        list of `[N, C, h, w]`.
    """
    pixels = paddle.clip(images * 0.5 + 0.5, 0.0, 1.0)
    if list(images.shape[2:]) != [side, side]:
        pixels = F.interpolate(pixels, size=[side, side], mode="bilinear", align_corners=False)
    return vgg(pixels, taps)


def vgg_loss(maps, wanted) -> paddle.Tensor:
    """Mean squared distance of VGG's features, added over layers (Image2StyleGAN, seed 001's form).

    Args:
        maps: of N pictures, from vgg_maps.
        wanted: of the N or 1 pictures to be met, with the same taps and side.
    Returns:
        `[N]`.
    """
    return paddle.add_n([((a - b) ** 2).mean(axis=[1, 2, 3]) for a, b in zip(maps, wanted)])
