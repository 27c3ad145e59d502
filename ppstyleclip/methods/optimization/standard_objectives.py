# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The objectives of StyleCLIP's equations 1 and 2: the text, the distance in latent space, the identity."""

from __future__ import annotations

import paddle

from ppstyleclip.losses import clip_crop_features, clip_loss, identity_loss, l2_loss
from ppstyleclip.methods.optimization.objective import Context, Networks, register_objective


def clip_objective(context: Context) -> paddle.Tensor:
    """Weighted sum over the texts of one minus the cosine between picture and text."""
    config = context.config
    features = clip_crop_features(
        context.networks.clip, context.images, view=config.view, crops=config.crops, margin=config.margin
    )
    return paddle.sum(clip_loss(features, context.texts) * context.text_weights, axis=1)


def l2_objective(context: Context) -> paddle.Tensor:
    """Squared distance between the latents and their start."""
    if context.config.l2_reduction != "layers":
        return l2_loss(context.latent, context.start, reduction=context.config.l2_reduction)
    unflatten = context.networks.layout.unflatten
    layers = zip(unflatten(context.latent), unflatten(context.start))
    return paddle.add_n([l2_loss(one, other, reduction="mean") for one, other in layers])


def identity_reference(networks: Networks, images: paddle.Tensor) -> paddle.Tensor:
    """`[N, I]` who is in the pictures of the start."""
    return networks.identity.identity_features(images)


def identity_objective(context: Context) -> paddle.Tensor:
    """One minus the cosine between who is in the picture and who was at the start."""
    return identity_loss(context.networks.identity, context.images, context.reference)


register_objective("clip", clip_objective)
register_objective("l2", l2_objective)
register_objective("identity", identity_objective, reference=identity_reference, needs=["identity"])
