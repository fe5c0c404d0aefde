"""The smallest model and data that the engine trains: a run takes a tenth of a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import nn

from auralsam2.engine.progress import Progress
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.registry import DATASETS, METRICS, MODELS


class ToyNet(BaseModel):
    """One trained layer with dropout after a frozen one; sees the frames alone."""

    def __init__(self, width: int = 3, image_size: int = 4, decode: str = "") -> None:
        super().__init__()
        self.generator = torch.Generator()
        self.frozen = nn.Linear(3, width).requires_grad_(False)
        self.dropout, self.trained = nn.Dropout(0.3), nn.Linear(width, 1)
        drawn = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            nn.init.normal_(parameter.data, generator=drawn)

    def forward(
        self, frames: Any, masks: Any, supervised: Any, clip: Any, mode: str, **_: Any
    ) -> Any:
        pixels = frames.float().movedim(2, -1) / 255
        logits = self.trained(self.dropout(self.frozen(pixels))).squeeze(-1)
        noise = torch.rand(1, generator=self.generator) if mode == "loss" else 0.0
        if mode == "loss":
            own = nn.functional.binary_cross_entropy_with_logits(logits + noise, masks.float())
            return {"loss_mask": own}
        rows = zip(logits, masks, supervised, clip, strict=True)
        return [
            dict(mask_logits=a, masks=b, supervised=c, clip=d, low_res_logits=a)
            for a, b, c, d in rows
        ]


class ToyClips:
    """Random frames of single-frame clips."""

    def __init__(self, root: str, num: int = 5, seed: int = 0, image_size: int = 4) -> None:
        drawn = torch.Generator().manual_seed(seed)
        self.frames = torch.randint(256, (num, 1, 3, 4, 4), generator=drawn, dtype=torch.uint8)
        self.clips, self.epoch = [f"clip{i}" for i in range(num)], 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def fingerprint(self) -> str:
        return f"toy {len(self.clips)}"

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> dict[str, Any]:
        frames = self.frames[index]
        masks = (frames[:, 0] > 120).to(torch.uint8)
        return dict(
            frames=frames ^ self.epoch,
            masks=masks,
            native_masks=masks,
            supervised=torch.ones(1, dtype=torch.bool),
            log_mel=torch.zeros(1, 2, 96, 64),
            clip=self.clips[index],
        )


class Surely(ClipMetric):
    """How sure the right answer is: it moves with every step."""

    key = "sure"

    def score_clip(self, mask_logits: Any, masks: Any) -> float:
        return float(torch.where(masks > 0, mask_logits, -mask_logits).sigmoid().mean())


class Watching(Progress):
    """Keeps what a run tells, and raises at a step or at a validation, both counted from 1."""

    def __init__(
        self,
        step: int | None = None,
        validation: int | None = None,
        error: BaseException | type[BaseException] = KeyboardInterrupt,
    ) -> None:
        self.at_step, self.at_validation, self.error = step, validation, error
        self.total, self.steps, self.finished = 0, 0, False
        self.validations: dict[int, Any] = {}

    def start_run(self, total_steps: int, epochs: int) -> None:
        self.total = total_steps

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        self.steps += 1
        if self.steps == self.at_step:
            raise self.error

    def validated(self, epoch: int, scores: Any) -> None:
        self.validations[epoch] = scores
        if len(self.validations) == self.at_validation:
            raise self.error

    def finish_run(self) -> None:
        self.finished = True


def register(monkeypatch: Any) -> None:
    """Make the toys known while a test runs."""
    for held, toy in ((MODELS, ToyNet), (DATASETS, ToyClips), (METRICS, Surely)):
        held.names()
        monkeypatch.setitem(held.module_dict, toy.__name__, toy)


def toy_config(root: Path, **optim: Any) -> Config:
    """A config of three epochs; ``optim`` changes that section."""
    clips = dict(type="ToyClips")
    return Config(
        dict(
            seed=0,
            model=dict(type="ToyNet"),
            data=dict(
                root=str(root),
                image_size=4,
                batch_size=1,
                num_workers=0,
                train=clips,
                val=dict(clips, seed=1),
                test=dict(test=dict(clips, seed=2)),
            ),
            optim=dict(
                optimizer=dict(type="AdamW", lr=0.1, weight_decay=0.01),
                epochs=3,
                power=0.9,
                amp=None,
                accumulate=1,
                clip_grad=None,
                warmup=0,
            )
            | optim,
            evaluation=dict(
                metrics=[dict(type="Surely")],
                select_by="sure",
                decode="first",
                every=1,
                num_saved_clips=0,
                measure_speed=False,
            ),
            runtime=dict(
                device="cpu",
                checkpoint_every=1,
                log_every=1,
                tensorboard=False,
                num_threads=1,
                work_dir=str(root),
            ),
        )
    )
