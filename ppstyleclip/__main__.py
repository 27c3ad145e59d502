# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`python -m ppstyleclip` is the console command."""

from ppstyleclip.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
