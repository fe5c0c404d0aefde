"""Other colours for the frames; masks stay."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.transforms.base import ChanceTransform, ClipTransform
from auralsam2.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ClipColourJitter(ClipTransform):
    """Change brightness, contrast, saturation and hue, in random order.

    Defaults are those of SAM2's training. The released code computes the jitter and throws it
    away: leave this transform out to train as it does.

    Args:
        brightness: b, factor drawn from [max(0, 1 - b), 1 + b].
        contrast: same, about the mean grey of the frame.
        saturation: same, about the grey of each pixel.
        hue: h, share of the colour circle drawn from [-h, h], at most 0.5.
        per_frame: draw for every frame anew, not once a clip.

    Raises:
        ValueError: where an amount is negative or ``hue`` above 0.5.
    """

    def __init__(
        self,
        brightness: float = 0.1,
        contrast: float = 0.03,
        saturation: float = 0.03,
        hue: float = 0.0,
        per_frame: bool = False,
    ) -> None:
        self.amounts = dict(
            brightness=brightness, contrast=contrast, saturation=saturation, hue=hue
        )
        bad = [f"{name}={value!r}" for name, value in self.amounts.items() if value < 0]
        bad += [f"{hue=} above 0.5"] if hue > 0.5 else []
        if bad:
            raise ValueError(f"ClipColourJitter got {', '.join(bad)}; amounts are 0 (off) or more")
        self.per_frame = per_frame

    def __call__(self, clip: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Jitter the frames."""
        frames = clip["frames"]
        draws = [self._draw(rng) for _ in range(len(frames) if self.per_frame else 1)]
        if not self.per_frame:
            draws *= len(frames)
        jittered = [_recolour(image, draw) for image, draw in zip(frames, draws, strict=True)]
        return {**clip, "frames": np.stack(jittered)}

    def _draw(self, rng: np.random.Generator) -> list[tuple[str, float]]:
        """Names and factors in the order of application."""
        factors = {}
        for name, amount in self.amounts.items():
            low = -amount if name == "hue" else max(0.0, 1 - amount)
            high = amount if name == "hue" else 1 + amount
            factors[name] = float(rng.uniform(low, high))
        names = list(factors)
        order = [names[i] for i in rng.permutation(len(names))]
        return [(name, factors[name]) for name in order if self.amounts[name]]


@TRANSFORMS.register_module()
class RandomClipGrey(ChanceTransform):
    """Take the colours from all frames of a clip, or from none."""

    def __init__(self, prob: float = 0.05) -> None:
        super().__init__(prob)

    def changed(self, clip: dict[str, Any]) -> dict[str, Any]:
        """Frames in grey, of three channels still."""
        import mmcv

        grey = np.stack([mmcv.rgb2gray(image) for image in clip["frames"]])
        return {"frames": np.repeat(grey[..., None], 3, axis=-1)}


def _recolour(image: NDArray[np.uint8], draw: list[tuple[str, float]]) -> NDArray[np.uint8]:
    import mmcv

    changes = {
        "brightness": mmcv.adjust_brightness,
        "contrast": mmcv.adjust_contrast,
        "saturation": mmcv.adjust_color,
        "hue": _turn_hue,
    }
    changed = np.ascontiguousarray(image[..., ::-1])  # mmcv's greys are those of BGR pictures
    for name, factor in draw:
        changed = changes[name](changed, factor)
    return np.ascontiguousarray(changed[..., ::-1])


def _turn_hue(image: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Mmcv's own casts a negative turn to uint8, whose outcome hangs on the processor."""
    import cv2

    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV_FULL)
    hsv[..., 0] += np.uint8(round(share * 256) % 256)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL), dtype=np.uint8)
