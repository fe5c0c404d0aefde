"""Draw points of a trained model's audio-visual space: objects, background, and what is heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.engine.evaluate import clip_loader
from auralsam2.messages import UnfitModelError
from auralsam2.models.auralsam2 import AuralSAM2

AUDIO, FOREGROUND, BACKGROUND = "audio", "foreground", "background"
FUSED, PROJECTED = "fused", "projected"
SPACES = (FUSED, PROJECTED)
# A token is of the object where the mask covers most of it, of the background where it covers none.
_OBJECT_SHARE = 0.5


class NoAudioVisualSpaceError(UnfitModelError):
    """A model in which sound and image do not meet as tokens."""


class FramePoints(NamedTuple):
    """Points of one frame at one pyramid level, of unit length."""

    clip: str
    frame: int
    level: int  # 0 the finest
    space: str  # ``fused``, what the decoder is given, or ``projected``, where contrast works
    sounding: bool  # whether the frame's mask is not empty
    # Kind -> (P, D); one audio point, up to ``per_kind`` visual ones a kind.
    vectors: dict[str, NDArray[np.float32]]


def draw_points(
    model: nn.Module,
    cfg: Config,
    dataset: Any,
    *,
    per_kind: int = 16,
    max_clips: int | None = None,
    seed: int = 0,
) -> Iterator[FramePoints]:
    """Draw visual tokens inside and outside the true masks, and the frames' audio tokens.

    Args:
        model: trained AuralSAM2 that listens.
        cfg: its config.
        dataset: of clips.
        per_kind: most visual points a frame and kind.
        max_clips: stop there.
        seed: of the drawing; the same points at every level and in every run on these data.

    Raises:
        NoAudioVisualSpaceError: where the model has no audio-visual space.
    """
    if not isinstance(model, AuralSAM2) or not model.listens:
        raise NoAudioVisualSpaceError(
            f"{type(model).__name__} has no audio-visual space to draw from; take an AuralSAM2 "
            "with a prompt or a contrastive loss"
        )
    generator = np.random.default_rng(seed)
    model.eval()
    drawn = 0
    for batch in clip_loader(cfg, dataset):
        spaces = _spaces(model, batch)
        for i, clip in enumerate(batch["clip"]):
            if max_clips is not None and drawn >= max_clips:
                return
            drawn += 1
            for t, mask in enumerate(batch["masks"][i]):
                if batch["supervised"][i, t]:
                    yield from _frame(clip, t, mask, spaces, i, per_kind, generator)


@torch.no_grad()
def _spaces(model: AuralSAM2, batch: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Space -> visual (B, T, N, D) and audio (B, T, D) of every level, unit length over D."""
    data = model.data_preprocessor(dict(batch), training=False)
    fused = model.listen(model.encode(data["frames"]), data["log_mel"], data.get("text"))
    assert fused is not None
    spaces: dict[str, tuple[Any, Any]] = {FUSED: (fused.visual, fused.of_frames())}
    if model.projector is not None:
        embedded = model.embed(fused)
        spaces[PROJECTED] = (embedded.visual, embedded.audio)

    clips_and_frames = data["frames"].shape[:2]

    def unit(x: Tensor) -> Tensor:
        # Not every projector gives unit length over D; cosines are compared everywhere here.
        x = F.normalize(x, dim=-1)
        return x.reshape(*clips_and_frames, *x.shape[2:])  # the released model joins clips

    return {
        space: ([unit(v) for v in visual], [unit(a) for a in audio])
        for space, (visual, audio) in spaces.items()
    }


def _frame(
    clip: str,
    t: int,
    mask: Tensor,
    spaces: Mapping[str, tuple[Any, Any]],
    i: int,
    per_kind: int,
    generator: np.random.Generator,
) -> Iterator[FramePoints]:
    visual, _ = spaces[FUSED]
    side = round(visual[0].shape[2] ** 0.5)
    share = F.interpolate(mask[None, None].float(), size=(side, side), mode="area").flatten()
    share = share.cpu().numpy()
    chosen = {
        kind: _some(np.flatnonzero(held), per_kind, generator)
        for kind, held in ((FOREGROUND, share >= _OBJECT_SHARE), (BACKGROUND, share == 0))
    }
    for space, (levels, sounds) in spaces.items():
        for level, (tokens, sound) in enumerate(zip(levels, sounds, strict=True)):
            vectors = {
                kind: _numpy(tokens[i, t][torch.from_numpy(n)]) for kind, n in chosen.items()
            }
            vectors[AUDIO] = _numpy(sound[i, t : t + 1])
            yield FramePoints(clip, t, level, space, bool(mask.any()), vectors)


def _some(positions: Any, count: int, generator: np.random.Generator) -> Any:
    if len(positions) <= count:
        return positions
    return np.sort(generator.choice(positions, size=count, replace=False))


def _numpy(x: Tensor) -> NDArray[np.float32]:
    return np.asarray(x.float().cpu().numpy())
