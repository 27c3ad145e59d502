# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The studio: a page in the browser on which faces are edited by words. Needs the extra: ppstyleclip[studio].

session.py    a face, the edits that were accepted, undo and redo
links.py      a session as text, and back
drawing.py    what a session looks like, and what is measured of it
faces.py      faces of seeds, of photos and of links
methods.py    strengths that are solved, optimisation, mappers, contact sheets
show.py       pictures and numbers as the page takes them
words.py      the page's words in English and Chinese, and its examples
faults.py     the usual faults in Chinese
handlers.py   what happens at each event of the page; without Gradio
page.py       the page itself, in Gradio
app.py        the page on the server's application

All but the last two run without Gradio.
"""
