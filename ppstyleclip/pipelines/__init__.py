# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Methods joined to whole tasks: values in, records on the way, values out. Nothing is saved here.

editing.py        a face at several strengths, by text or along a direction
recipes.py        a face with several edits; recipe_files.py: how they stand in a file
contact_sheet.py  a face at several strengths and thresholds, labelled
photo.py          a photo: faces found, cut out, inverted, edited, pasted back
frames.py         the same over a video's frames, as they come; frame_passes.py: in three passes
faces.py          the first steps of both: find, choose, cut
inversion.py      crops to latents; fitting.py: one face by a recipe
quality.py        how near what is drawn comes
sampling.py       sheets of faces, mixtures; interpolation.py: from face to face
records.py        the record that they yield, and `result_of(records)`
"""
