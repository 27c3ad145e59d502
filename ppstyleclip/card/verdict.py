# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Good, weak or harmful: what a card's numbers say of an edit.

good      what the words name has come, and the rest of the face is still there
weak      what the words name has hardly come, or at a price
harmful   the rest of the face has changed by half a standard deviation on the mean, or more

The price is how far attributes that the words do not name are expected to move, in standard deviations:

    price = a aside + b outside + c changed + d

Its weights are a fit to 750 edits of the embedded world, where judges that know no CLIP read the attributes;
benchmarks/card_quality.py says how often card and judges agree on others. For another model it is a guess.
Identity is not in it: it follows from the others, and edits of other faces were judged worse with it.
"""

from __future__ import annotations

from ppstyleclip.card.model import Numbers

WEIGHTS = (4.1, 0.36, 0.1, -0.006)
KEPT, LOST = 0.35, 0.5  # prices up to which an edit is good, and from which it is harmful
ALONG, INSIDE = 0.08, 0.05  # an edit that reaches neither of these has hardly done anything


def price(numbers: Numbers) -> float:
    """How far attributes that the words do not name are expected to move, in standard deviations."""
    a, b, c, d = WEIGHTS
    return max(a * numbers.aside + b * numbers.outside + c * numbers.changed + d, 0.0)


def judge(numbers: Numbers) -> tuple[str, str]:
    """The verdict and its reason in one line."""
    paid, along = price(numbers), numbers.along
    told = f"the rest moves by about {paid:.2f} deviations"
    if paid >= LOST:
        return "harmful", f"{told}, {LOST:g} or more"
    if along <= 0:
        return "weak", f"CLIP moved {along:.2f} along the text, which is away from it"
    if along < ALONG and numbers.inside < INSIDE:
        return "weak", f"CLIP moved {along:.2f} along the text, and the picture changed little there"
    if paid > KEPT:
        return "weak", f"{told}, more than {KEPT:g}"
    return "good", f"CLIP moved {along:.2f} along the text; {told}"
