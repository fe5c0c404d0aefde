"""SAM2's image predictor that also hears."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sam2.sam2_image_predictor import SAM2ImagePredictor
from torch import Tensor

from auralsam2.data.frame_source import PictureSequence
from auralsam2.models.backbones.promptable import Points
from auralsam2.models.tracking import decode_frames
from auralsam2.predictor.hearing import check_text, heard_prompts
from auralsam2.predictor.sound import Samples, Sound
from auralsam2.predictor.state import check_weight
from auralsam2.predictor.trained import OfTrained, Trained
from auralsam2.predictor.video import AuralSAM2VideoPredictor
from auralsam2.structures import Prompts


class AuralSAM2ImagePredictor(OfTrained, SAM2ImagePredictor):
    """The official image predictor around a trained model's SAM2: one picture, a second of sound.

    Without sound, or where its weight is 0, the official code answers. A picture is encoded once,
    whatever prompts follow.

    Args:
        trained: the model, whose weights are shared and not copied.

    Raises:
        ValueError: where the model is no AuralSAM2.
    """

    def __init__(self, trained: Trained) -> None:
        super().__init__(AuralSAM2VideoPredictor(trained))
        self.trained = trained
        side = self.model.embedding_size
        self._bb_feat_sizes = [(4 * side, 4 * side), (2 * side, 2 * side), (side, side)]
        self._prompts: Prompts | None = None
        self._weight = 1.0

    @torch.no_grad()
    def set_image(
        self,
        image: Any,
        audio: str | os.PathLike[str] | tuple[Samples, int] | None = None,
        text: str | None = None,
    ) -> None:
        """Encode a picture, and make the audio prompts of its sound.

        Args:
            image: (H, W, 3) uint8 RGB, or a PIL image.
            audio: a path, or samples (L,) or (L, channels) and their rate, of which the first
                second is heard; ``None`` is no sound.
            text: the expression, for a model that reads one.

        Raises:
            ValueError: where the sound cannot be read, or an array is no such picture.
        """
        if audio is None:
            super().set_image(image)
            return
        check_text(self.trained.model, text)
        self.reset_predictor()
        rgb = image if isinstance(image, np.ndarray) else image.convert("RGB")
        picture = PictureSequence([np.asarray(rgb)])[0]
        pixels = self.trained.resizing.resize_frames([picture])
        model, device = self.trained.model, self.device
        pyramid = self.model.raw_pyramid(model.normalise(torch.from_numpy(pixels).to(device)))
        *high_res, coarse = self.model.decoder_features(pyramid)
        if self.model.directly_add_no_mem_embed:
            coarse = coarse + self.model.no_mem_embed.reshape(1, -1, 1, 1)
        examples = Sound(audio, self.trained.listening).examples(0, 1)
        self._prompts = heard_prompts(model, pyramid, examples, text)
        self._features = {"image_embed": coarse, "high_res_feats": high_res}
        self._orig_hw, self._is_image_set = [picture.shape[:2]], True

    def reset_predictor(self) -> None:
        """Forget the picture and its sound."""
        super().reset_predictor()
        self._prompts = None

    def predict(
        self, *args: Any, audio_weight: float = 1.0, **kwargs: Any
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Masks (M, H, W), their predicted IoUs and low-resolution logits, as officially.

        Args:
            *args: as of the official method.
            audio_weight: factor of the audio prompts, of at least 0; 0 is off.
            **kwargs: ``point_coords``, ``point_labels``, ``box``, ``mask_input``,
                ``multimask_output`` (off, the mask with the highest predicted IoU is given), ...

        Raises:
            ValueError: on a weight that cannot be.
        """
        self._weight = check_weight(audio_weight)
        return super().predict(*args, **kwargs)

    @torch.no_grad()
    def _predict(
        self,
        point_coords: Tensor | None,
        point_labels: Tensor | None,
        boxes: Tensor | None = None,
        mask_input: Tensor | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
        img_idx: int = -1,
    ) -> tuple[Tensor, Tensor, Tensor]:
        if self._prompts is None or not self._weight:
            given = (mask_input, multimask_output, return_logits, img_idx)
            return super()._predict(point_coords, point_labels, boxes, *given)
        points = _points(point_coords, point_labels, boxes)
        decoded = decode_frames(
            self.model,
            self._features["image_embed"],
            self._features["high_res_feats"],
            self._prompts.scaled(self._weight),
            self.trained.model.injection,
            points,
            mask_input,
        )
        low, ious = decoded.mask_logits, decoded.ious
        if not multimask_output:
            low, ious = decoded.best, ious.amax(dim=1, keepdim=True)
        masks = self._transforms.postprocess_masks(low, self._orig_hw[img_idx])
        return masks if return_logits else masks > self.mask_threshold, ious, low.clamp(-32, 32)


def _points(coords: Tensor | None, labels: Tensor | None, boxes: Tensor | None) -> Points | None:
    """Corners of a box before clicks, as officially."""
    both = [] if boxes is None else [(boxes.reshape(-1, 2, 2), boxes.new_tensor([[2, 3]]).int())]
    if coords is not None:
        assert labels is not None
        both.append((coords, labels))
    return Points(*(torch.cat(part, dim=1) for part in zip(*both, strict=True))) if both else None
