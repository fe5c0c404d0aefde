"""SAM2 with human prompts and with none: the upper and the lower line of every comparison.

Axes: K objects of a frame, S side of the image, h side of the decoder's masks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from auralsam2.messages import unknown_values
from auralsam2.models.backbones.promptable import Decoded, Points
from auralsam2.models.backbones.sam2.memory import ClipMemory
from auralsam2.models.decoder_rows import CannotProbeError, DecoderCalls, DecoderRow
from auralsam2.models.drawn_prompts import box_points, coarse_mask_logits
from auralsam2.models.interaction import Interaction
from auralsam2.models.methods.base import ClipBatch, Node, SAM2Method, nothing
from auralsam2.models.methods.carrying import decode_as_video
from auralsam2.registry import MODELS
from auralsam2.structures import Prediction, Prompts

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import PromptableSAM2

# Nobody clicks on specks: pieces below this share of the truth's area are left to the others.
MIN_SHARE = 0.02


class HumanPrompt(NamedTuple):
    """One prompt an object."""

    points: Points | None = None  # clicks or boxes of K objects
    masks: Tensor | None = None  # (K, 1, h, h) mask prompts as logits


def clip_generator(seed: int, clip: str) -> torch.Generator:
    """A generator of this clip's own: its prompts do not hang on what else is in the batch."""
    digest = hashlib.blake2b(f"{seed}/{clip}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def objects_of(mask: Tensor) -> Tensor:
    """Connected pieces of one frame's truth, the largest first: a person prompts one at a time.

    (S, S) in {0, 1} -> (K, S, S) in {0, 1}; K is 0 where the mask is empty.
    """
    labels, count = ndimage.label(mask.cpu().numpy() > 0, structure=np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    kept = [k for k in np.argsort(-areas, kind="stable") if areas[k] >= MIN_SHARE * areas.sum()]
    pieces = labels[None] == 1 + np.array(kept, dtype=int).reshape(-1, 1, 1)
    return torch.from_numpy(pieces).to(mask)


def box_prompt(
    objects: Tensor, size: int, jitter: float, generator: torch.Generator
) -> HumanPrompt:
    """The bounding box of every object, its corners shaken by a share of its sides."""
    return HumanPrompt(points=box_points(objects, generator, jitter))


def click_prompt(
    objects: Tensor, size: int, jitter: float, generator: torch.Generator
) -> HumanPrompt:
    """One click an object, where it is thickest, shaken by a share of its sides but inside it."""
    noise = torch.randn(len(objects), 2, generator=generator).clamp(-2, 2).numpy() * jitter
    clicks = [
        _click(one.cpu().numpy() > 0, shake) for one, shake in zip(objects, noise, strict=True)
    ]
    coords = torch.tensor(np.stack(clicks), dtype=torch.float32, device=objects.device)[:, None]
    labels = torch.ones(coords.shape[:2], dtype=torch.int32, device=objects.device)
    return HumanPrompt(points=Points(coords, labels))


def mask_prompt(
    objects: Tensor, size: int, jitter: float, generator: torch.Generator
) -> HumanPrompt:
    """A rough mask an object: shifted by a share of its sides, blurred, with noise."""
    noise = torch.randn(len(objects), 2, generator=generator).clamp(-2, 2).numpy() * jitter
    shifted = [
        _shift(one, *np.round(shake * _sides(one.cpu().numpy() > 0)).astype(int))
        for one, shake in zip(objects, noise, strict=True)
    ]
    return HumanPrompt(masks=coarse_mask_logits(torch.stack(shifted), size, generator))


Prompter = Callable[[Tensor, int, float, torch.Generator], HumanPrompt]

PROMPTS: dict[str, Prompter] = {"box": box_prompt, "click": click_prompt, "mask": mask_prompt}


def thickest(inside: np.ndarray) -> tuple[int, int]:
    """Row and column of the pixel farthest from the border of a region, which the image's is too.

    (H, W) bool; of several such pixels the first by rows.
    """
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    row, col = np.unravel_index(depth.argmax(), depth.shape)
    return int(row), int(col)


def _click(inside: np.ndarray, shake: np.ndarray) -> tuple[float, float]:
    """(x, y) in pixels."""
    row, col = thickest(inside)
    width, height = _sides(inside)
    x, y = int(col + shake[0] * width), int(row + shake[1] * height)
    within = 0 <= y < len(inside) and 0 <= x < inside.shape[1] and inside[y, x]
    return (x + 0.5, y + 0.5) if within else (col + 0.5, row + 0.5)


def _sides(inside: np.ndarray) -> np.ndarray:
    """Width and height of the bounding box."""
    rows, cols = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return np.array([cols[-1] - cols[0] + 1, rows[-1] - rows[0] + 1])


def _shift(mask: Tensor, x: int, y: int) -> Tensor:
    """(S, S) moved by x to the right and y down; what enters is empty."""
    return F.pad(mask[None], (x, -x, y, -y))[0]


PROMPTED_FRAMES = ("every", "first")


@MODELS.register_module()
class PromptedSAM2(SAM2Method):
    """SAM2 as people use it, prompted from the truth; trains nothing, hears nothing.

    Every connected piece of the truth counts as one object with a prompt of its own; the frame's
    mask is the union. A frame whose truth is empty gets no prompt and hence an empty mask. The
    prompts of a clip are drawn from (seed, name of the clip): the same at every evaluation.

    Args:
        backbone: node of ``BACKBONES``.
        prompt: ``box``, ``click`` (one positive) or ``mask`` (a rough one, as logits).
        prompted_frames: ``every`` frame is prompted and answered as an image, or only the
            ``first`` one whose truth is not empty; the objects are then carried to the later
            frames by SAM2's memory. New objects of later frames are missed.
        jitter: how far a prompt is off, as a standard deviation in sides of the object (cut at
            two); 0 is exact.
        seed: of the prompts.
        **shared: see :class:`SAM2Method`.

    Raises:
        ValueError: naming every argument that is out of range.
    """

    prompted_by_truth = True

    def __init__(
        self,
        backbone: Node,
        prompt: str = "box",
        prompted_frames: str = "every",
        jitter: float = 0.05,
        seed: int = 0,
        **shared: Any,
    ) -> None:
        problems = unknown_values(
            prompt=(prompt, PROMPTS), prompted_frames=(prompted_frames, PROMPTED_FRAMES)
        )
        if not 0 <= jitter < 1:
            problems.append(f"jitter must be at least 0 and below 1, got {jitter=}")
        if shared.get("tracker") is not None:
            problems.append("tracker must be None, prompted_frames says how masks travel")
        if problems:
            raise ValueError("PromptedSAM2: " + "; ".join(problems))
        super().__init__(backbone=backbone, **shared)
        self.prompt, self.prompted_frames = prompt, prompted_frames
        self.jitter, self.seed = jitter, seed

    @property
    def hears(self) -> bool:
        """Nothing."""
        return False

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of every frame, one clip after the other."""
        network: PromptableSAM2 = self.backbone.network
        levels = self.encode(batch.frames).levels
        clips = []
        for i, name in enumerate(batch.clip):
            maps = network.decoder_features([level[i] for level in levels])
            frames = self._answer_clip(maps, batch.masks[i], name)
            clips.append(stacked(frames))
        return stacked(clips)

    def decoder_rows(self, masks: Tensor) -> DecoderCalls:
        """One call a frame of a clip, one row an object; frames without truth are not decoded.

        Raises:
            CannotProbeError: where objects are carried by memory: whether a piece of a later
                frame's truth is one of them, and which, is not known.
        """
        if self.prompted_frames != "every":
            raise CannotProbeError(
                f"PromptedSAM2 with prompted_frames={self.prompted_frames!r} cannot be looked "
                "into: which object of a later frame is which is not known; take 'every'"
            )
        objects = (
            (i, t, objects_of(mask)) for i, clip in enumerate(masks) for t, mask in enumerate(clip)
        )
        return [[DecoderRow(i, t, one) for one in held] for i, t, held in objects if len(held)]

    def _answer_clip(self, maps: Sequence[Tensor], masks: Tensor, name: str) -> list[Prediction]:
        """Masks of T frames from their maps (T, ...)."""
        generator = clip_generator(self.seed, name)
        memory: ClipMemory | None = None
        answers: list[Prediction] = []
        num_objects = 0
        for t, mask in enumerate(masks):
            given = None
            if memory is None or self.prompted_frames == "every":
                objects = objects_of(mask)
                if not len(objects):
                    answers.append(nothing(maps[0], ()))
                    continue
                given = PROMPTS[self.prompt](objects, maps[0].shape[-1], self.jitter, generator)
                memory, num_objects = ClipMemory(self.backbone.network, len(masks)), len(objects)
            frame = [m[t : t + 1].expand(num_objects, -1, -1, -1) for m in maps]
            out = decode_as_video(
                memory,
                t,
                frame,
                **(given or HumanPrompt())._asdict(),
                is_conditioning=given is not None,
                keep=self.prompted_frames == "first",
            )
            answers.append(_join(out))
        return answers


def _join(out: Decoded) -> Prediction:
    """The union of K objects; what is said of its quality is their mean."""
    return Prediction(
        out.mask_logits.amax(0),
        out.ious.mean(0),
        out.object_score_logits.amax(0),
        out.best.amax(0)[0],
    )


@MODELS.register_module()
class UnpromptedSAM2(SAM2Method):
    """SAM2 as it is, asked for a mask without being told of what; trains nothing, hears nothing.

    The decoder sees its own output tokens only, as AuralSAM2's does where both prompts are off:
    the two give the same numbers.

    Args:
        backbone: node of ``BACKBONES``.
        tracker: node of ``TRACKERS``.
        **shared: see :class:`SAM2Method`.
    """

    def __init__(self, backbone: Node, tracker: Node, **shared: Any) -> None:
        super().__init__(backbone=backbone, tracker=tracker, **shared)

    @property
    def hears(self) -> bool:
        """Nothing."""
        return False

    def interactions(self, batch: ClipBatch, heard: bool) -> Sequence[Interaction]:
        """See :meth:`ClipMethod.interactions`: SAM2 as people use it, empty before a click."""
        return self.clicked_alone(batch)

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of frames alone."""
        pyramid = self.encode(batch.frames)
        prediction: Prediction = self.tracker(self.backbone.network, pyramid, Prompts())
        return prediction


def stacked(parts: Sequence[Prediction]) -> Prediction:
    """Along a new first axis."""
    return Prediction(*map(torch.stack, zip(*(part.tensors for part in parts), strict=True)))
