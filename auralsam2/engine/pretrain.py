"""Train a SAM2 on promptable segmentation of synthetic images and clips."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from auralsam2.engine.checkpoint import save_safetensors
from auralsam2.engine.run_folder import claim_folder
from auralsam2.models.weights.loading import load_weights


def pretrain(
    out: Path,
    *,
    size: str = "mini",
    version: str = "2.1",
    image_size: int = 128,
    epochs: int = 60,
    steps_per_epoch: int = 200,
    items: int = 4,
    lr: float = 1e-3,
    workers: int = 1,
    seed: int = 0,
    threads: int | None = None,
    amp: bool = False,
    init: Path | None = None,
    device: str = "auto",
) -> Path:
    """Run or resume the training in ``out`` and export its weights.

    Args:
        out: run folder; an unfinished training in it is resumed at its last epoch.
        size: backbone size.
        version: SAM generation.
        image_size: side of the input in pixels.
        epochs: total; the cosine schedule is laid out for it.
        steps_per_epoch: steps between checkpoints.
        items: items of a batch, each four images and one clip of four frames.
        lr: peak learning rate of AdamW.
        workers: processes that render.
        seed: of weights, data and prompts.
        threads: CPU threads of the trainer.
        amp: bfloat16 autocast (GPU).
        init: weights to start from; a resumed training ignores them.
        device: as `auralsam2.devices.pick_device` takes it.

    Returns:
        The path of the exported safetensors file (half precision).

    Raises:
        ValueError: where the machine lacks the device, or the device ``amp``.
        OtherRunError: where ``out`` holds a training with other settings.
    """
    from auralsam2.devices import check_amp, pick_device
    from auralsam2.mmengine_fixes import DeviceRunner, PlainCheckpointHook, allow_resume
    from auralsam2.models.pretraining.promptable import PromptableSegmentation

    chosen = pick_device(device)
    check_amp("bfloat16" if amp else None, chosen)
    settings = {
        **dict(size=size, version=version, image_size=image_size, epochs=epochs, items=items),
        **dict(steps_per_epoch=steps_per_epoch, lr=lr, seed=seed, amp=amp),
        "init": sha256(init.read_bytes()).hexdigest() if init is not None else None,
    }
    claim_folder(out, settings, "*.pth", way="start from its weights: --init WEIGHTS")
    allow_resume()
    if threads:
        torch.set_num_threads(threads)
    runner = DeviceRunner(
        device=chosen,
        model=dict(
            type=PromptableSegmentation,
            size=size,
            version=version,
            image_size=image_size,
            seed=seed,
        ),
        work_dir=str(out),
        train_dataloader=_loader(steps_per_epoch * items, items, image_size, workers, seed),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=_optimizer(lr, amp),
        param_scheduler=_schedule(epochs * steps_per_epoch),
        default_hooks=_hooks(),
        custom_hooks=[dict(type=PlainCheckpointHook)],
        env_cfg=dict(cudnn_benchmark=False),
        randomness=dict(seed=seed),
        default_scope="auralsam2",
        resume=True,
        experiment_name=f"sam2-{size}",
    )
    if init is not None:
        load_weights(runner.model.sam2, init)
    runner.train()
    exported = out / f"sam2-{size}.safetensors"
    save_safetensors(runner.model.sam2.state_dict(), exported, torch.float16)
    return exported


def _loader(length: int, items: int, image_size: int, workers: int, seed: int) -> dict[str, Any]:
    from auralsam2.data.synthetic.endless import (
        FreshIndexSampler,
        PromptDataset,
        collate_prompts,
    )

    return dict(
        batch_size=items,
        num_workers=workers,
        persistent_workers=workers > 0,
        sampler=dict(type=FreshIndexSampler),
        collate_fn=dict(type=collate_prompts),
        dataset=dict(type=PromptDataset, length=length, image_size=image_size, seed=seed),
    )


def _optimizer(lr: float, amp: bool) -> dict[str, Any]:
    wrapper: dict[str, Any] = dict(
        type="OptimWrapper",
        optimizer=dict(type="AdamW", lr=lr, weight_decay=0.01, betas=(0.9, 0.99)),
        clip_grad=dict(max_norm=1.0),
    )
    if amp:
        wrapper.update(type="AmpOptimWrapper", dtype="bfloat16")
    return wrapper


def _schedule(steps: int) -> list[dict[str, Any]]:
    warm = min(500, steps // 10)
    cosine = dict(
        type="CosineAnnealingLR", by_epoch=False, begin=warm, end=steps, eta_min_ratio=0.01
    )
    if not warm:
        return [cosine]
    return [dict(type="LinearLR", start_factor=0.01, by_epoch=False, end=warm), cosine]


def _hooks() -> dict[str, Any]:
    return dict(
        logger=dict(type="LoggerHook", interval=50),
        checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=2),
    )


def score_exported(weights: Path, image_size: int = 128, num_clips: int = 200) -> dict[str, float]:
    """Mean IoU of exported weights by kind of prompt, on clips that no training draws."""
    from auralsam2.engine.promptable_eval import promptable_scores
    from auralsam2.models.backbones.sam2.build import build_sam2

    network = build_sam2("mini", image_size=image_size)
    load_weights(network, weights)
    return promptable_scores(network.eval(), num_clips)
