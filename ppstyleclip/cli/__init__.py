# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands: each reads a command line, calls a pipeline or a job, and prints.

    main        the names of all commands; run: how each of them ends
    editing     edits of faces and photos by text: global directions, optimisation, replays
    mappers     latent mappers: training, and edits by trained ones
    latents     faces drawn, mixed, moved and found in photos; banks of them
    preparing   the two-stage preparation: statistics, then relevance
    weights     weights and what is installed: converted, exported, verified, described
    serving     servers, the studio, and the workers of a queue

The modules of this folder itself are what several of them share.
"""
