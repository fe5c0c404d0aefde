"""Ways to answer a person's clicks and a sound, for a benchmark in which they take turns.

Each does all there is from frames and sound in memory to masks at the video's size: resizing,
encoder, log-mels, fuser, memory, decoder.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sam2.modeling.sam2_base import SAM2Base
from sam2.sam2_video_predictor import SAM2VideoPredictor
from torch import nn

from auralsam2.data.audio import SAMPLE_RATE
from auralsam2.data.images import Resizing
from auralsam2.data.synthetic.scene import render, sample_scene
from auralsam2.data.synthetic.sounds import render_sound
from auralsam2.engine.benchmark import parts
from auralsam2.engine.benchmark.prompting import CLICK, CLIP, FIRST, HEARD_AGAIN, REST, SOUND
from auralsam2.engine.efficiency import ENCODERS, HEARING
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.methods.base import SAM2Method
from auralsam2.predictor.hearing import reads_text
from auralsam2.predictor.kept import KeptTensors
from auralsam2.predictor.sound import Sound
from auralsam2.predictor.video import AuralSAM2VideoPredictor

TEXT = "the object that makes the sound"
"""For a model that reads an expression."""
OF_SAM2: tuple[parts.Watched, ...] = (
    (SAM2Base, "forward_image", "encode"),
    (PromptableSAM2, "raw_pyramid", "encode"),
    (SAM2Base, "_prepare_memory_conditioned_features", "memory attention"),
    (SAM2Base, "_forward_sam_heads", "mask decoder"),
    (PromptableSAM2, "decode", "mask decoder"),
    (SAM2Base, "_encode_new_memory", "memory encoder"),
    (Resizing, "resize_frames", "resize"),
    (KeptTensors, "put", "keep features"),
    (KeptTensors, "get", "keep features"),
    (Sound, "examples", "log-mel"),
)


class Shown(NamedTuple):
    """A clip, and where a person clicks."""

    frames: NDArray[np.uint8]  # (T, H, W, 3), one second apart
    sound: tuple[NDArray[np.float64], int]  # (L, 2) of full scale 1, and samples a second
    points: NDArray[np.float32]  # (T, 2), x and y in every frame

    @property
    def middle(self) -> int:
        """The frame of the second click; some stand behind it."""
        return (len(self.frames) - 1) // 2


def synthetic_clip(num_frames: int, side: int, seed: int = 0) -> Shown:
    """A clip of moving objects, with clicks on the nearest one."""
    rng = np.random.default_rng(seed)
    scene = sample_scene(rng, num_frames)
    frames, _ = render(scene, side)
    samples = render_sound(scene, rng) / 32768
    points = np.clip(scene.objects[-1].centre, 0.05, 0.95) * side
    return Shown(frames, (samples, SAMPLE_RATE), points.astype(np.float32))


class Clicks:
    """A person's clicks alone."""

    def __init__(self, predictor: AuralSAM2VideoPredictor, shown: Shown) -> None:
        self.predictor, self.shown = predictor, shown
        self.answers: SAM2VideoPredictor = predictor
        self.state: dict[str, Any] = {}

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.predictor.device

    def open(self) -> None:
        """Take the clip in."""
        self.state = self.predictor.init_state(list(self.shown.frames), audio=False, fps=1)

    def click(self, frame: int) -> None:
        """To the mask of a frame."""
        prompt = dict(points=self.shown.points[None, frame], labels=np.ones(1, np.int32))
        self.answers.add_new_points_or_box(self.state, frame, 1, **prompt)

    def propagate(self, start: int = 0) -> None:
        """To the masks of all frames from one on; those that are clicked have theirs."""
        with redirect_stderr(io.StringIO()):  # the official bar
            for _ in self.answers.propagate_in_video(self.state, start_frame_idx=start):
                pass

    def hear(self) -> None:
        """To what the sound says where the clicks' answer does not have it."""

    def events(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """What happens, in order; the clip's time is that of the first two together."""
        middle = self.shown.middle

        def first() -> None:
            self.open()
            self.click(0)

        def clip() -> None:
            self.propagate()
            self.hear()

        yield FIRST, first
        yield CLIP, clip
        yield CLICK, lambda: self.click(middle)
        yield REST, lambda: self.propagate(middle)

    def encoders(self) -> list[nn.Module]:
        """Whose passes are counted."""
        return [self.answers.image_encoder]

    def watched(self) -> Iterator[parts.Watched]:
        """Calls that are parts."""
        yield from OF_SAM2

    def close(self) -> None:
        """Give back what was opened."""
        self.predictor.close(self.state)


class OfficialClicks(Clicks):
    """The same by the official class, which keeps the features of the last frame alone."""

    def __init__(self, predictor: AuralSAM2VideoPredictor, shown: Shown) -> None:
        super().__init__(predictor, shown)
        self.answers = SAM2VideoPredictor.__new__(SAM2VideoPredictor)
        nn.Module.__init__(self.answers)
        vars(self.answers).update(vars(predictor), _modules=dict(predictor._modules))

    def open(self) -> None:
        """With frames as the official ``init_state`` leaves them."""
        super().open()
        trained = self.predictor.trained
        pixels = torch.from_numpy(trained.resizing.resize_frames(list(self.shown.frames)))
        self.state["images"].close()
        self.state["images"] = trained.model.normalise(pixels.to(self.predictor.device))

    def close(self) -> None:
        """Its frames are no open file."""
        self.state["kept"].close()


class ClicksAndSound(Clicks):
    """Clicks and the sound, answered together from one encoding."""

    def open(self) -> None:
        """With the sound in force in every frame."""
        reads = reads_text(self.predictor.trained.model)
        self.state = self.predictor.init_state(
            list(self.shown.frames), self.shown.sound, fps=1, text=TEXT if reads else None
        )
        self.predictor.add_audio(self.state, 1)

    def events(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Also another weight of the sound."""

        def sound() -> None:
            self.predictor.set_audio_weight(self.state, 0.5)
            self.propagate()

        yield from super().events()
        yield SOUND, sound

    def watched(self) -> Iterator[parts.Watched]:
        """Also what listens."""
        yield from super().watched()
        model = self.predictor.trained.model
        yield model, "heard", "audio encoder"
        yield model, "prompts", "prompts"
        if model.fuser is not None:
            yield model.fuser, "fuse", "fuser"
            yield model.fuser.pyramid, "forward", "fuser"


class ClicksBesideAdapter(Clicks):
    """Clicks answered by SAM2, the sound by an ``adapter`` whose encoder sees the frames again."""

    def __init__(
        self, predictor: AuralSAM2VideoPredictor, shown: Shown, adapter: SAM2Method
    ) -> None:
        super().__init__(predictor, shown)
        self.adapter = adapter

    @torch.inference_mode()
    def hear(self) -> None:
        """To its masks of all frames."""
        trained, device = self.predictor.trained, self.predictor.device
        sound, size = Sound(self.shown.sound, trained.listening), self.shown.frames.shape[1:3]
        for start in range(0, len(self.shown.frames), trained.num_frames):
            frames = self.shown.frames[start : start + trained.num_frames]
            pixels = torch.from_numpy(trained.resizing.resize_frames(list(frames)))[None]
            log_mel = torch.from_numpy(sound.examples(start, len(frames)))[None]
            shape = (1, len(frames))
            answer = self.adapter(
                mode="tensor",
                frames=pixels.to(device),
                log_mel=log_mel.to(device),
                masks=torch.zeros(*shape, *pixels.shape[-2:], device=device),
                supervised=torch.zeros(shape, dtype=torch.bool, device=device),
                clip=["clip"],
            )
            F.interpolate(answer.best, size=size, mode="bilinear", align_corners=False)

    def events(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Also another weight of the sound, for which an encoder that hears sees all anew."""
        yield from super().events()
        if hasattr(self.adapter, HEARING):
            yield SOUND, self.hear

    def encoders(self) -> list[nn.Module]:
        """Both."""
        return [*super().encoders(), self.adapter.backbone.network.image_encoder]

    def watched(self) -> Iterator[parts.Watched]:
        """Also the adapter's."""
        yield from super().watched()
        for name in ENCODERS:
            yield self.adapter, name, HEARD_AGAIN
        yield getattr(self.adapter, "audio_encoder", None), "forward", "audio encoder"
