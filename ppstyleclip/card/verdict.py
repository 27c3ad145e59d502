# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Good, weak or harmful: what a card's numbers say of an edit.

good      what the words name has come, and the rest of the face is still there
weak      what the words name has hardly come, or at a price
harmful   the rest of the face has changed so much that it is another picture

The limits are those of the embedded world, where judges that know no CLIP read the pictures
(benchmarks/card_quality.py, which also says how often the two agree). For another model they are a guess.
"""

from __future__ import annotations

from ppstyleclip.card.model import Numbers

ALONG = 0.10  # an edit that moves CLIP less along the text is weak
ACROSS = 0.45  # one that moves it more across the text is harmful
OUTSIDE = 0.10  # as is one that changes so much outside the region
SAME = 0.25  # or whose face is less the same


def judge(numbers: Numbers) -> tuple[str, str]:
    """The verdict and its reason in one line."""
    if numbers.identity is not None and numbers.identity < SAME:
        return "harmful", f"identity {numbers.identity:.2f} is below {SAME:g}: another person"
    if numbers.across > ACROSS:
        return "harmful", f"CLIP moved {numbers.across:.2f} across the text, more than {ACROSS:g}"
    if numbers.outside > OUTSIDE:
        return "harmful", f"likeness outside the region is off by {numbers.outside:.2f}, above {OUTSIDE:g}"
    if numbers.along < ALONG:
        return "weak", f"CLIP moved {numbers.along:.2f} along the text, less than {ALONG:g}"
    return "good", f"CLIP moved {numbers.along:.2f} along the text, {numbers.across:.2f} across it"
