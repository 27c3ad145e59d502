# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a mapper's training makes small: the loss of the pictures of edited latents."""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as F

from ppstyleclip.engine import compile_synthesis
from ppstyleclip.errors import UserError
from ppstyleclip.methods.optimize import compile_objective, styles_of


class Faces:
    """Latents, the class of texts that each is for, and what is known of their pictures.

    Args:
        latents: `[N, L, D]` w_plus or `[N, S]` styles.
        texts: TextSet.
    """

    def __init__(self, latents, texts):
        self.latents = np.ascontiguousarray(latents, np.float32)
        self.classes = texts.class_of(len(self.latents))
        self._known = {}

    def __len__(self):
        return len(self.latents)

    def known(self, name, rows, find):
        """`[len(rows), ...]` what `find` gives for each latent; found once, alone, so that it is the same
        whatever was drawn before."""
        for row in rows:
            if (name, row) not in self._known:
                self._known[name, row] = find(self.latents[row : row + 1])[0]
        return np.stack([self._known[name, row] for row in rows])


class PictureLoss:
    """The loss of edited latents and its gradient there.

    Args:
        generator, layout, clip: the networks.
        texts: TextSet.
        features: `[K, E]` of its K texts: CLIP's features; where settings.toward is above 0 the directions
            from a neutral text to each.
        settings: Settings.
        identity: network with `identity_features`, where settings.identity is above 0.

    Attributes: `names` of the parts of the loss.
    Raises:
        UserError: features of another CLIP, or no identity network though one is needed.
    """

    def __init__(self, generator, layout, clip, texts, features, settings, *, identity=None):
        features = np.asarray(features, np.float32)
        if features.shape != (len(texts.names), clip.dim):
            raise UserError(
                f"features of the texts have shape {list(features.shape)}, {len(texts.names)} "
                f"texts and this CLIP need [{len(texts.names)}, {clip.dim}]"
            )
        if settings.identity > 0 and identity is None:
            raise UserError("identity is above 0, but there is no identity network; give one, or set it to 0")
        self.generator, self.layout, self.clip, self.settings = generator, layout, clip, settings
        self.identity = identity if settings.identity > 0 else None
        self.names = ("clip", "l2", "identity")[: 2 + (self.identity is not None)]
        self._draw = compile_synthesis(generator)
        self._goals, self._weights = self._of_classes(texts, features)
        self._run = None

    def _of_classes(self, texts, features):
        """Goals `[C, T, E]` of each class and the weights `[C, T]` of their losses."""
        if self.settings.toward > 0:
            moves = [self.settings.toward * features[list(members)].sum(axis=0) for members in texts.classes]
            return np.stack(moves)[:, None], np.full([len(moves), 1], self.settings.clip, np.float32)
        most = max(map(len, texts.classes))
        goals = np.zeros([len(texts.classes), most, features.shape[1]], np.float32)
        weights = np.zeros(goals.shape[:2], np.float32)
        goals[:] = _unit(features[0])  # where a class has fewer, of weight 0
        for k, members in enumerate(texts.classes):
            goals[k, : len(members)] = _unit(features[list(members)])
            weights[k, : len(members)] = self.settings.clip / len(members)
        return goals, weights

    def __call__(self, faces, rows, latent):
        """Judge edited latents.

        Args:
            faces, rows: Faces, and which of them were edited.
            latent: `[N, ...]` float32, the edited.
        Returns:
            ({name: [N]} parts of the loss, gradient of their sum `[N, ...]`).
        """
        classes = faces.classes[rows]
        goals = self._goals[classes]
        if self.settings.toward > 0:
            goals = _unit(faces.known("seen", rows, self._seen)[:, None] + goals)
        arrays = {
            "latent": latent,
            "start": faces.latents[rows],
            "texts": goals,
            "weights": self._weights[classes],
        }
        if self.identity is not None:
            arrays["reference"] = faces.known("who", rows, self._who)
        if self._run is None:
            self._run = compile_objective(
                self.generator,
                self.layout,
                self.clip,
                self.identity,
                self.settings,
                arrays,
                mixed=self.settings.mixed,
            )
        terms, gradient, _ = self._run(arrays)
        return terms, gradient

    def draw(self, latent) -> np.ndarray:
        """Images `[N, 3, H, W]` of latents `[N, ...]`."""
        with paddle.no_grad():
            styles = styles_of(self.generator, self.layout, paddle.to_tensor(latent), self.settings.space)
        return self._draw([style.numpy() for style in styles])

    @paddle.no_grad()
    def _seen(self, latent):
        images = paddle.to_tensor(self.draw(latent))
        return F.normalize(self.clip.encode_image(images), axis=1).numpy()

    @paddle.no_grad()
    def _who(self, latent):
        return self.identity.identity_features(paddle.to_tensor(self.draw(latent))).numpy()


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
