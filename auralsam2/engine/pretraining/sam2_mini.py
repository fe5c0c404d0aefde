"""Train a SAM2 on promptable segmentation of synthetic images and clips, and score it on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from auralsam2.data.synthetic.endless import (
    MIN_AREA,
    FreshIndexSampler,
    PromptDataset,
    collate_prompts,
)
from auralsam2.data.synthetic.scene import render, sample_scene
from auralsam2.devices import check_amp, pick_device
from auralsam2.engine.checkpoint import save_state
from auralsam2.engine.pretraining import FRESH_SEED
from auralsam2.engine.pretraining.promptable import SIZE, PromptableSegmentation
from auralsam2.engine.run_folder import claim_folder
from auralsam2.mmengine_fixes import DeviceRunner, PlainCheckpointHook, allow_resume
from auralsam2.models.backbones.promptable import Points
from auralsam2.models.drawn_prompts import box_points, click_points
from auralsam2.models.weights.loading import load_weights

EXPORTED = f"sam2-{SIZE}.safetensors"
NUM_FRAMES = 5


@dataclass(frozen=True)
class Recipe:
    """What the weights hang on, and how they are computed."""

    image_size: int = 128  # side of the input in pixels
    epochs: int = 18  # total; the cosine schedule is laid out for it
    steps_per_epoch: int = 100  # steps between checkpoints
    items: int = 4  # items of a batch, each four images and one clip of four frames
    lr: float = 8e-4  # peak learning rate of AdamW
    seed: int = 0  # of weights, data and prompts
    amp: bool = False  # bfloat16 autocast (GPU)
    init: Path | None = None  # weights to start from; a resumed training ignores them
    workers: int = 1  # processes that render
    threads: int | None = None  # CPU threads of the trainer
    device: str = "auto"  # as `auralsam2.devices.pick_device` takes it

    def settings(self) -> dict[str, Any]:
        """Return what the weights hang on, as a folder's settings.json states it."""
        how = ("workers", "threads", "device")
        settings = {key: value for key, value in asdict(self).items() if key not in how}
        init = None if self.init is None else sha256(self.init.read_bytes()).hexdigest()
        return {**settings, "size": SIZE, "version": "2.1", "init": init}


def pretrain(out: Path, recipe: Recipe) -> Path:
    """Run or resume a training in ``out``; the path of its weights, exported in half precision.

    Raises:
        ValueError: where the machine lacks the device, or the device bfloat16, or the network
            cannot have the image size or the first weights; nothing is written then.
        OtherRunError: where ``out`` holds a training with other settings.
    """
    device = pick_device(recipe.device)
    check_amp("bfloat16" if recipe.amp else None, device)
    _check_network(recipe)
    claim_folder(out, recipe.settings(), "*.pth", way="start from its weights: --init WEIGHTS")
    allow_resume()
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    runner = _runner(out, recipe, device)
    if recipe.init is not None:
        load_weights(runner.model.sam2, recipe.init)
    runner.train()
    save_state(runner.model.sam2.state_dict(), out / EXPORTED, torch.float16)
    return out / EXPORTED


def _check_network(recipe: Recipe) -> None:
    """Build the network once before the folder is this training's: the runner writes into it."""
    network = PromptableSegmentation(recipe.image_size, recipe.seed).sam2
    if recipe.init is not None:
        load_weights(network, recipe.init)


def _runner(out: Path, recipe: Recipe, device: torch.device) -> DeviceRunner:
    steps, seed = recipe.steps_per_epoch, recipe.seed
    of_data = dict(length=steps * recipe.items, image_size=recipe.image_size, seed=seed)
    wrapper = dict(type="AmpOptimWrapper", dtype="bfloat16") if recipe.amp else {}
    return DeviceRunner(
        device=device,
        model=dict(type=PromptableSegmentation, image_size=recipe.image_size, seed=seed),
        work_dir=str(out),
        train_dataloader=dict(
            batch_size=recipe.items,
            num_workers=recipe.workers,
            persistent_workers=recipe.workers > 0,
            sampler=dict(type=FreshIndexSampler),
            collate_fn=dict(type=collate_prompts),
            dataset=dict(type=PromptDataset, **of_data),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=recipe.epochs),
        optim_wrapper=dict(
            optimizer=dict(type="AdamW", lr=recipe.lr, weight_decay=0.01, betas=(0.9, 0.99)),
            clip_grad=dict(max_norm=1.0),
            **wrapper,
        ),
        param_scheduler=_schedule(recipe.epochs * steps),
        default_hooks=dict(
            logger=dict(type="LoggerHook", interval=50),
            checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=2),
        ),
        custom_hooks=[dict(type=PlainCheckpointHook)],
        randomness=dict(seed=seed),
        default_scope="auralsam2",
        resume=True,
        experiment_name=f"sam2-{SIZE}",
    )


def _schedule(steps: int) -> list[dict[str, Any]]:
    warm = min(500, steps // 10)
    cosine = dict(
        type="CosineAnnealingLR", by_epoch=False, begin=warm, end=steps, eta_min_ratio=0.01
    )
    if not warm:
        return [cosine]
    return [dict(type="LinearLR", start_factor=0.01, by_epoch=False, end=warm), cosine]


@torch.no_grad()
def score_exported(weights: Path, image_size: int = 128, num_clips: int = 200) -> dict[str, float]:
    """Mean IoU of exported weights over clips that no training draws, by kind of prompt.

    Returns:
        ``box``, ``click`` (the mask with the best predicted IoU), ``click_single`` (the
        single-mask output) in the first frame; ``propagated_mask``: the true mask of the first
        frame carried through memory, mean over the later frames in which the object is seen.
    """
    model = PromptableSegmentation(image_size).eval()
    load_weights(model.sam2, weights)
    generator = torch.Generator().manual_seed(FRESH_SEED)
    kinds = ("box", "click", "click_single", "propagated_mask")
    scores: dict[str, list[float]] = {kind: [] for kind in kinds}
    for index in range(num_clips):
        frames, masks = _draw(index, image_size)
        features = model.features(frames)
        first = model.without_memory([f[:1] for f in features])
        box, _ = _answer(model, first, box_points(masks[:1], generator, jitter=0.0))
        click, single = _answer(model, first, click_points(masks[:1], generator))
        for kind, answer in zip(kinds, (box, click, single), strict=False):
            scores[kind].append(_iou(answer, masks[0]))
        for t, _, logits in model.propagate([f[None] for f in features], masks[None]):
            if masks[t].any():
                scores["propagated_mask"].append(_iou(logits[0, 0] > 0, masks[t]))
    return {kind: float(np.mean(values)) for kind, values in scores.items()}


def _draw(index: int, size: int) -> tuple[Tensor, Tensor]:
    """Frames (T, 3, S, S) uint8 of a fresh clip, and the masks (T, S, S) of one object in it."""
    rng = np.random.default_rng([FRESH_SEED, index])
    while True:
        frames, masks = render(sample_scene(rng, num_frames=NUM_FRAMES), size)
        large = np.flatnonzero(masks[0].mean(axis=(1, 2)) >= MIN_AREA)
        if len(large):
            chosen = np.ascontiguousarray(masks[:, int(rng.choice(large))])
            return torch.from_numpy(frames).movedim(-1, 1), torch.from_numpy(chosen)


def _answer(
    model: PromptableSegmentation, maps: Sequence[Tensor], points: Points
) -> tuple[Tensor, Tensor]:
    """The mask with the best predicted IoU, and that of the single-mask output, (S, S) bool."""
    out = model.sam2.decode(maps[2], maps[:2], points=points, all_masks=True)
    both = model.sam2.upsample(torch.cat([out.best, out.mask_logits[:, :1]], dim=1))[0] > 0
    return both[0], both[1]


def _iou(predicted: Tensor, truth: Tensor) -> float:
    return float((predicted & truth).sum() / (predicted | truth).sum().clamp(min=1))
