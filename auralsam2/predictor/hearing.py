"""Audio prompts of a video's frames, made window by window as the model was trained."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from auralsam2.models.auralsam2 import AuralSAM2
from auralsam2.predictor.kept import KeptTensors
from auralsam2.predictor.sound import Sound
from auralsam2.structures import Prompts, VisualPyramid

ROUNDING = 1e-6
"""Seconds: a frame that is this close before a second belongs to it."""


class Windows:
    """Frames of a video in windows of T seconds, and in groups of one frame a second.

    The fuser sees what it was trained on, at most T frames one second apart. Frames with the same
    place in their second go together; where a second has fewer frames, its last one stands in.

    Args:
        times: seconds at which every frame begins.
        length: T.
    """

    def __init__(self, times: Sequence[float], length: int) -> None:
        self.length = length
        # Nothing is heard before the beginning, where a file may have a picture.
        self._seconds = [max(0, math.floor(time + ROUNDING)) for time in times]
        self._frames: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for frame, second in enumerate(self._seconds):
            self._frames[second // length][second].append(frame)

    def of(self, frame: int) -> int:
        """Number of the window that a frame lies in."""
        return self._seconds[frame] // self.length

    def seconds(self, window: int) -> list[int]:
        """Those of a window that have frames."""
        return list(self._frames[window])

    def frames(self, window: int) -> list[int]:
        """All frames of a window, in order."""
        return [frame for frames in self._frames[window].values() for frame in frames]

    def groups(self, window: int) -> list[list[int]]:
        """One frame of every second each; a frame stands first in the group of its own place."""
        seconds = self._frames[window].values()
        places = range(max(map(len, seconds)))
        return [[frames[min(place, len(frames) - 1)] for frames in seconds] for place in places]


class Hearing:
    """Audio prompts of every frame, computed when one of its window is asked for.

    Args:
        model: listens.
        sound: of the video.
        windows: of its frames.
        text: the expression, for a model that reads one.
        kept: where tokens of frames lie and prompts are put.
    """

    def __init__(
        self,
        model: AuralSAM2,
        sound: Sound,
        windows: Windows,
        text: str | None,
        kept: KeptTensors,
    ) -> None:
        self.model, self.sound, self.windows, self.kept = model, sound, windows, kept
        self._text = None if text is None else [text]
        self._num_sparse = 0

    def prompts(self, frame: int, encode: Callable[[int], object], device: torch.device) -> Prompts:
        """Of one frame, (1, 1, C) and (1, 1, N, C) a level.

        Args:
            frame: its index.
            encode: makes sure that tokens of a frame lie in ``kept``, where its prompts do not.
            device: of the prompts.
        """
        if ("prompts", frame) not in self.kept:
            for one in self.windows.frames(self.windows.of(frame)):
                if ("tokens", one) not in self.kept:
                    encode(one)
            self._listen(self.windows.of(frame), device)
        tensors = self.kept.get(("prompts", frame), device)
        return Prompts(tensors[: self._num_sparse], tensors[self._num_sparse :])

    def see(self, frame: int, pyramid: Sequence[Tensor]) -> None:
        """Keep what the fuser will want of a frame's maps (1, C, h, w)."""
        self.kept.put(("tokens", frame), _tokens(self.model, pyramid))

    def _listen(self, window: int, device: torch.device) -> None:
        """Make the prompts of all frames of a window."""
        assert self.model.fuser is not None
        seconds = self.windows.seconds(window)
        first = seconds[0]
        examples = self.sound.examples(first, seconds[-1] - first + 1)
        heard = torch.from_numpy(examples[[second - first for second in seconds]]).to(device)
        audio = self.model.heard(heard[None], self._text)
        for group in self.windows.groups(window):
            levels = zip(*(self.kept.get(("tokens", f), device) for f in group), strict=True)
            fused = self.model.fuser.fuse([torch.cat(level, dim=1) for level in levels], audio)
            prompts = self.model.prompts(fused)
            self._num_sparse = len(prompts.sparse)
            for t, frame in enumerate(group):
                if ("prompts", frame) not in self.kept:
                    tensors = [p[:, t : t + 1] for p in (*prompts.sparse, *prompts.dense)]
                    self.kept.put(("prompts", frame), tensors)
        for frame in self.windows.frames(window):
            self.kept.drop(("tokens", frame))


def heard_prompts(
    model: AuralSAM2,
    pyramid: Sequence[Tensor],
    examples: NDArray[np.float32],
    text: str | None = None,
) -> Prompts:
    """Audio prompts of one picture from its maps (1, C, h, w) and a second's examples."""
    assert model.fuser is not None
    heard = torch.from_numpy(examples).to(pyramid[0].device)
    audio = model.heard(heard[None], None if text is None else [text])
    return model.prompts(model.fuser.fuse(_tokens(model, pyramid), audio))


def _tokens(model: AuralSAM2, pyramid: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What the fuser wants of one picture, (1, 1, N, C) a level."""
    assert model.fuser is not None
    return model.fuser.pyramid(VisualPyramid(tuple(level[:, None] for level in pyramid)))


class TextError(ValueError):
    """A text for a model that reads none, or none for one that does."""


def reads_text(model: AuralSAM2) -> bool:
    """Whether a model wants an expression beside the sound, as in Ref-AVS."""
    return model.listens and model.text_encoder is not None


def check_text(model: AuralSAM2, text: str | None) -> None:
    """Refuse a text that the model does not read, and a missing or an empty one, by a TextError."""
    reads = reads_text(model)
    if reads and not (text or "").strip():
        raise TextError(f"the model reads a text beside the sound, as in Ref-AVS; got {text=}")
    if text is not None and not reads:
        raise TextError(f"the model reads no text, got {text=}: its model.text_encoder is None")
