#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit the faces of a photo, a folder of photos or a video by text: found, inverted, edited and put back.

Writes edited.png (the photo with the edit), side_by_side.png (before and after), faces.png (of each face: as
it is in the photo, as it was inverted, as it was edited) and faces.npy (the latents found); with --tune also
generator_1.safetensors. Of a folder it writes NAME.edited.png for each picture, of a video edited.mp4.

    python tools/edit_photo.py scene.png --target "happy face"
    python tools/edit_photo.py scene.png --target "face with glasses" --face 2 --steps 100 --tune 100
    python tools/edit_photo.py photo.jpg --target "smiling face" --face all --model_type ffhq-config-f
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("edit_photo"))
