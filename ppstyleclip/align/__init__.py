# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From a user's photo to an upright crop of a face, and back into the photo.

photo = read_photo("photo.jpg")                                   [H, W, 3]
face, = choose_faces(find_faces(finder, photo), "best")           68 landmarks, confidence
crop, alignment = align_face(photo, face.landmarks, size=256)     [256, 256, 3]
... crop -> edited ...
photo = paste_back(photo, alignment, edited, reconstructed)       pixels outside the crop as they were
"""

from ppstyleclip.align.choose import NoFace, PhotoFaces, choose_faces, find_photo_faces
from ppstyleclip.align.crop import (
    Alignment,
    CropWeights,
    align_face,
    crop_to_photo,
    cut_frame,
    cut_square,
    frame_of_landmarks,
    landmarks_on_crop,
)
from ppstyleclip.align.dlib_models import MissingDlib
from ppstyleclip.align.faces import (
    Face,
    FaceFinder,
    confident_places,
    faces_of_landmarks,
    find_faces,
    load_face_finder,
    read_landmarks,
)
from ppstyleclip.align.paste import crop_mask, paste_back
from ppstyleclip.align.photo import read_photo, take_photo
from ppstyleclip.align.pose import (
    FacePair,
    Pose,
    cut_pair,
    cut_upright,
    frame_of_eyes,
    landmarks_pose,
    upright_frame,
)
from ppstyleclip.align.tracks import (
    follow_faces,
    smooth_along,
    smooth_faces,
    smooth_stream,
    smooth_stream_along,
)

__all__ = [
    "Alignment",
    "CropWeights",
    "Face",
    "FaceFinder",
    "FacePair",
    "MissingDlib",
    "NoFace",
    "PhotoFaces",
    "Pose",
    "align_face",
    "choose_faces",
    "confident_places",
    "crop_mask",
    "crop_to_photo",
    "cut_frame",
    "cut_pair",
    "cut_square",
    "cut_upright",
    "faces_of_landmarks",
    "find_faces",
    "find_photo_faces",
    "follow_faces",
    "frame_of_eyes",
    "frame_of_landmarks",
    "landmarks_on_crop",
    "landmarks_pose",
    "load_face_finder",
    "paste_back",
    "read_landmarks",
    "read_photo",
    "smooth_along",
    "smooth_faces",
    "smooth_stream",
    "smooth_stream_along",
    "take_photo",
    "upright_frame",
]
