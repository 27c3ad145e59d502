# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Editing over HTTP: photos and words come in, pictures go out, and whoever waits is told how far it is.

    settings.py   what the operator sets: environment, file, command line
    app.py        the application: middleware, routes, the life of the service
    seed004.py    the interface of styleclip-gan3's server, as printed and as coded
    v1.py         ours: jobs, pictures, cards, events, models
    events.py     who is told what: Socket.IO, WebSocket, server-sent events
    service.py    what the routes call; one thread that sees to the jobs
    queues.py     who does the jobs: this process, one after the other
    execution.py  a job from its request to its end, whoever does it
    redis_*.py    or workers in other processes: what is said, the server's end, the worker's
    jobs.py       jobs, their states and their order; journal.py keeps them on disk
    pictures.py   uploads and results: random names, limits, an end
    model.py      the editor and what belongs to it, loaded once
    work.py       a request and a photo in, records, pictures out
    guard.py      keys, rates, sizes, hosts and origins, before anything else looks at a request
    serve.py      the process: uvicorn, signals, an orderly end

Everything here needs the extra `server` and Python 3.10.
"""
