"""Audio adapters in SAM2's image encoder, as SAMA-AVS has them in SAM's.

Axes: F frames, H and W sides of a block's token map, C its width, D width of the audio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.models.methods.base import ClipBatch, Node, SAM2Method
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction, Prompts, VisualPyramid

STAGES = (1, 2, 3, 4)


class AudioAdapters(nn.Module):
    """One adapter in front of every block of the chosen stages of a Hiera trunk.

    Block j reads ``x_j + W_up GELU(W_down a)``: the frame's sound, mapped to the width of the
    block's tokens, the same at every position (SAMA-AVS, section 3). ``W_up`` starts at zero, so
    that training begins at the encoder as it is. Outside of :meth:`hearing` the trunk is
    untouched. The trunk must have ``blocks`` and ``stage_ends``; stage 1 is the finest.
    """

    def __init__(
        self,
        trunk: nn.Module,
        audio_channels: int,
        stages: Sequence[int] = STAGES,
        hidden_channels: int = 32,
    ) -> None:
        super().__init__()
        self.adapters = nn.ModuleDict()
        self._audio: Tensor | None = None
        for index, block in _blocks_of(trunk, stages):
            self.adapters[str(index)] = _adapter(audio_channels, hidden_channels, block.dim)
            block.register_forward_pre_hook(self._hook(str(index)))

    @contextmanager
    def hearing(self, audio: Tensor) -> Iterator[None]:
        """Let the trunk hear ``audio`` (F, D) in every forward of F frames inside the context."""
        self._audio = audio
        try:
            yield
        finally:
            self._audio = None

    def _hook(self, index: str) -> Any:
        def add_sound(block: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            if self._audio is None:
                return None
            tokens, *rest = inputs  # (F, H, W, C)
            return (tokens + self.adapters[index](self._audio)[:, None, None], *rest)

        return add_sound


def _blocks_of(trunk: nn.Module, stages: Sequence[int]) -> list[tuple[int, Any]]:
    blocks = list(trunk.blocks)
    ends = list(trunk.stage_ends)
    starts = [0, *(end + 1 for end in ends)]
    return [
        (index, blocks[index])
        for stage in stages
        for index in range(starts[stage - 1], ends[stage - 1] + 1)
    ]


def _adapter(audio_channels: int, hidden_channels: int, channels: int) -> nn.Sequential:
    up = nn.Linear(hidden_channels, channels)
    nn.init.zeros_(up.weight)
    nn.init.zeros_(up.bias)
    return nn.Sequential(nn.Linear(audio_channels, hidden_channels), nn.GELU(), up)


@MODELS.register_module()
class AdapterSAM2(SAM2Method):
    """The encoder hears: adapters between its frozen blocks, the mask decoder trained.

    SAMA-AVS (Liu et al., WACV 2024, arXiv 2305.11019). The decoder gets no prompt. What the
    encoder sees hangs on the sound, so features of clips cannot be kept between epochs.

    Args:
        backbone: node of ``BACKBONES``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        tracker: node of ``TRACKERS``. The paper segments single images: ``use_memory=False``.
        mask_loss: node of ``MASK_LOSSES``.
        stages: stages of the encoder whose blocks get an adapter, 1 (finest) to 4; all of them as
            published. Fewer and later ones are faster: gradients end at the first adapter.
        hidden_channels: width of an adapter.
        trained_parts: parts of the SAM2 that are trained beside the adapters.
        feature_cache_mb: must be 0.
        **shared: see :class:`SAM2Method`.

    Raises:
        ValueError: naming every argument that is out of range.
    """

    def __init__(
        self,
        backbone: Node,
        audio_encoder: Node,
        tracker: Node,
        mask_loss: Node,
        stages: Sequence[int] = STAGES,
        hidden_channels: int = 32,
        trained_parts: Sequence[str] = ("sam_mask_decoder",),
        feature_cache_mb: int = 0,
        **shared: Any,
    ) -> None:
        problems = []
        if not stages or set(stages) - set(STAGES) or len(set(stages)) < len(tuple(stages)):
            problems.append(f"stages must be some of {STAGES}, each once, got {tuple(stages)}")
        if hidden_channels < 1:
            problems.append(f"hidden_channels must be at least 1, got {hidden_channels=}")
        if feature_cache_mb:
            problems.append(
                f"feature_cache_mb must be 0, got {feature_cache_mb}: features hang on the sound"
            )
        if problems:
            raise ValueError("AdapterSAM2: " + "; ".join(problems))
        parts = {"backbone": backbone, "tracker": tracker, "mask_loss": mask_loss}
        super().__init__(**parts, trained_parts=trained_parts, **shared)
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        self.adapters = AudioAdapters(
            self.backbone.network.image_encoder.trunk,
            self.audio_encoder.out_channels,
            stages=sorted(stages),
            hidden_channels=hidden_channels,
        )

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of what is heard."""
        pyramid = self.encode_heard(batch.frames, self.audio_encoder(batch.log_mel))
        prediction: Prediction = self.tracker(self.backbone.network, pyramid, Prompts())
        return prediction

    def encode_heard(self, frames: Tensor, audio: Tensor) -> VisualPyramid:
        """Pyramid of frames whose encoder hears.

        Args:
            frames: (B, T, 3, S, S) uint8.
            audio: (B, T, D).
        """
        sizes = check_shape(frames, "B T 3 S S", name="frames", S=self.backbone.image_size)
        check_shape(audio, "B T D", name="audio vectors", B=sizes["B"], T=sizes["T"])
        # Not through the backbone's own forward: it records no gradient where it is frozen.
        with self.adapters.hearing(audio.flatten(0, 1)):
            maps = self.backbone.network.raw_pyramid(self.normalise(frames).flatten(0, 1))
        return VisualPyramid(tuple(m.unflatten(0, frames.shape[:2]) for m in maps))
