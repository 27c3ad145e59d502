#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""gunicorn's settings: `gunicorn -c gunicorn.conf.py "ppstyleclip.server.app:create_from_environment()"`.

One worker: queue, thread and Socket.IO live in one process. Needs: pip install gunicorn uvicorn-worker
"""

bind = "127.0.0.1:8000"
workers = 1
worker_class = "uvicorn_worker.UvicornWorker"
timeout = 120  # seconds without a sign of life; a slow job does not count, it runs in a thread
graceful_timeout = 60  # longer than PPSTYLECLIP_SERVER_DRAIN_SECONDS
accesslog = None  # it would quote queries, in which prompts stand
