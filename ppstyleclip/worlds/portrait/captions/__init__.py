# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Words for portraits in two languages: a grammar, and which of its sentences are true of which faces.

attributes   what can be said, and the factors of which it is true
truth        statements, in degrees from "slightly" to "not", judged for many faces
words        the form of a table of words; english, chinese: the tables
english_grammar, chinese_grammar
             how the words are put together
sampling     random captions that are true of a face
vocabulary   all that can be said: words, phrases, tokens
pages        the tables as pages of the documents
"""

from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES, Attribute
from ppstyleclip.worlds.portrait.captions.sampling import LANGUAGES, Caption, caption
from ppstyleclip.worlds.portrait.captions.truth import DEGREES, judge, truth_table

__all__ = ["ATTRIBUTES", "DEGREES", "LANGUAGES", "Attribute", "Caption", "caption", "judge", "truth_table"]
