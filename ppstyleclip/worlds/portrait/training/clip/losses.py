# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the fit of CLIP minimises. All pairs of a picture and a caption are true, false or undecided."""

from __future__ import annotations

from ppstyleclip.worlds.portrait.training.network import F, torch


def ranking_loss(logits, truths):
    """Each true one of a row against all false ones of that row; undecided ones do not count.

    Args:
        logits, truths: `[N, M]`; truths are 1, 0 or -1.
    Returns:
        Mean over the rows that have both of the mean over their true ones; a row's weight is the same
        however many are true.
    """
    low = torch.finfo(logits.dtype).min
    against = torch.logsumexp(torch.where(truths < 0, logits, low), 1, keepdim=True)  # [N, 1]
    each = F.softplus(against - logits)  # -log of exp(true) / (exp(true) + sum of exp(false))
    is_true = (truths > 0).float()
    counts = is_true.sum(1)
    has_both = ((counts > 0) & (truths < 0).any(1)).float()
    rows = torch.where(truths > 0, each, 0.0).sum(1) / counts.clamp(min=1)
    return (has_both * rows).sum() / has_both.sum().clamp(min=1)


def contrast(images, texts, scale, truths):
    """Mean of the ranking of pictures by captions and of captions by pictures.

    Args:
        images: `[N, D]`; texts: `[M, D]`; not normalised.
        scale: of the cosines.
        truths: `[N, M]`.
    """
    logits = scale * F.normalize(images) @ F.normalize(texts).t()
    return 0.5 * (ranking_loss(logits, truths) + ranking_loss(logits.t(), truths.t()))


def spread_loss(texts, neutrals):
    """How far captions are from those that say nothing, the mean of `1 - cosine`.

    An edit takes the difference of the two. Where all captions are far from what says nothing, all
    differences have a part in common, which is no change of anything.

    Args:
        texts: `[M, D]`, the first `neutrals` of which say nothing.
    """
    texts = F.normalize(texts)
    return 1 - (texts[neutrals:] @ F.normalize(texts[:neutrals].mean(0), dim=0)).mean()


def change_loss(images, texts, scale, truths, neutrals=2):
    """The direction from one picture of a pair to the other is that of the words for what has changed.

    It is what an edit asks of CLIP: the move of the picture's feature along target minus neutral text.

    Args:
        images: `[2 P, D]`, pairs side by side; texts: `[M, D]`, the first `neutrals` of which say nothing.
        truths: `[2 P, M]`.
    Returns:
        Ranking loss over pairs and captions: true where the caption becomes true; false where it becomes
        false, and where it stays what it was.
    """
    first, second = F.normalize(images).unflatten(0, (-1, 2)).unbind(1)
    moves = F.normalize(first - second)
    texts = F.normalize(texts)
    words = F.normalize(texts[neutrals:] - texts[:neutrals].mean(0))
    was, now = truths[1::2, neutrals:], truths[0::2, neutrals:]
    became = torch.where((was == 0) | (now == 0), 0, torch.where(now > was, 1, -1))
    logits = scale * moves @ words.t()
    both = torch.cat([logits, -logits]), torch.cat([became, torch.where(now == was, became, -became)])
    return 0.5 * (ranking_loss(*both) + ranking_loss(both[0].t(), both[1].t()))
