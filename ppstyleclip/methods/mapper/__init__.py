# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent mappers (StyleCLIP, section 5): their configuration, their data, their training."""

from ppstyleclip.methods.mapper.config import MapperConfig, TrainingConfig, network_config
from ppstyleclip.methods.mapper.data import LatentDataset
from ppstyleclip.methods.mapper.loss import ImageLoss
from ppstyleclip.methods.mapper.text_sets import TextSet, check_told_apart, known_set, text_set
from ppstyleclip.methods.mapper.train_mapper import build_training, train_mapper
from ppstyleclip.methods.mapper.training import ALONE, ProcessGroup, Training, TrainingRecord, train

__all__ = [
    "ALONE",
    "ImageLoss",
    "LatentDataset",
    "MapperConfig",
    "ProcessGroup",
    "TextSet",
    "Training",
    "TrainingConfig",
    "TrainingRecord",
    "build_training",
    "check_told_apart",
    "known_set",
    "network_config",
    "text_set",
    "train",
    "train_mapper",
]
