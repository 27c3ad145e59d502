# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How the portrait world's CLIP is made: pictures and captions of which each is true is known.

    python -m ppstyleclip.worlds.portrait.training.data --folder run --count 60
    python -m ppstyleclip.worlds.portrait.training.data --folder run --count 60 --first 5000000
    python -m ppstyleclip.worlds.portrait.training.clip --folder run
    python -m ppstyleclip.worlds.portrait.training.clip.export --folder run --output clip.safetensors
    python -m ppstyleclip.worlds.portrait.training.clip.texts --folder run --start OLD --output NEW

The second command renders pairs: faces whose factors do not go together as people's do, each beside one that
differs in a factor or two. From people alone a CLIP would learn that who has a beard is a man.

    network      PyTorch's twin of paddleclip's class, with a table of the tokens that are used
    faces        pictures in memory, people and pairs
    softness     what an edit's pictures differ by from rendered ones
    prompts      random captions and short prompts for a batch
    oracle       the features that pictures should have, from factors that nobody need draw
    meaning      what captions say of the factors, in numbers
    losses       contrast of pictures and captions, and of changes and what they are called
    fit          one step, the moving average, the checkpoint
    evaluation   the right one of two prompts, for every attribute in both languages
    changes      whether words point where a picture goes when it becomes what they say
    text_fit     the words fitted alone, to pictures as they are seen
    texts        the command of that
    __main__     the command
"""
