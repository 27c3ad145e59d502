# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What finds the portrait world's faces in a photo: dlib's detector, dlib's 68 landmarks, and the crop.

    python -m ppstyleclip.worlds.portrait.training.faces --folder run

Needs the extra `align`, no PyTorch and no shards: it draws scenes of its own. Files follow one another in
`run/faces/`, and those that are there stay: face_detector.svm, landmarks.dat, crop.safetensors.
"""
