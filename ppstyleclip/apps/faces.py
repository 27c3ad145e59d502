# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Other names of cli.faces and cli.saving."""

from ppstyleclip.cli.faces import given_face, load_face  # noqa: F401  alias until the sweep
from ppstyleclip.cli.saving import save_latent  # noqa: F401  alias until the sweep
