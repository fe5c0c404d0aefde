"""Train the embedded audio encoder to name what sounds, as VGGish was trained on AudioSet."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from auralsam2.data.synthetic.endless import SoundDataset
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.engine.checkpoint import save_state
from auralsam2.engine.pretraining import FRESH_SEED
from auralsam2.engine.run_folder import claim_folder
from auralsam2.models.audio.log_mel_cnn import LogMelCNN


class Hearing(NamedTuple):
    """How well classes are named in fresh seconds."""

    labels: float  # share of right answers over all (second, class) pairs
    exact: float  # share of seconds whose set of classes is exactly right


def pretrain_audio(
    out: Path,
    *,
    clips: int = 1600,
    batch_size: int = 16,
    width: int = 16,
    out_channels: int = 256,
    lr: float = 2e-3,
    workers: int = 1,
    seed: int = 0,
    num_fresh: int = 200,
) -> tuple[Path, Hearing]:
    """Train for one pass over fresh clips and export the network's weights with their score.

    Args:
        out: folder, which gets the weights.
        clips: clips of five seconds, each heard once.
        batch_size: clips a step.
        width: of the :class:`LogMelCNN`.
        out_channels: of the :class:`LogMelCNN`.
        lr: peak learning rate of AdamW, one cosine down to 0.
        workers: processes that synthesise.
        seed: of weights and data.
        num_fresh: clips that the score comes from, none of them heard in training.

    Raises:
        ValueError: for a width that the network cannot have; nothing is written then.
        OtherRunError: where ``out`` holds a training with other settings.
    """
    settings = dict(clips=clips, batch_size=batch_size, width=width, out_channels=out_channels)
    settings |= dict(lr=lr, seed=seed)
    torch.manual_seed(seed)
    encoder = LogMelCNN(out_channels, width)  # refuses a width before the folder is this training's
    claim_folder(out, settings, "*.safetensors", way="delete what is in it")
    head = nn.Linear(out_channels, len(CLASSES))
    sounds = SoundDataset(clips, seed)
    _fit(encoder, head, DataLoader(sounds, batch_size, num_workers=workers, drop_last=True), lr)
    path = out / "log-mel-cnn.safetensors"
    save_state(encoder.state_dict(), path)
    return path, _score(encoder, head, num_fresh)


def _fit(encoder: nn.Module, head: nn.Module, loader: DataLoader, lr: float) -> None:
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=len(loader))
    encoder.train()
    for log_mel, heard in loader:
        loss = F.binary_cross_entropy_with_logits(head(encoder(log_mel)), heard)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


@torch.no_grad()
def _score(encoder: nn.Module, head: nn.Module, clips: int) -> Hearing:
    encoder.eval()
    right: list[Tensor] = []
    for log_mel, heard in DataLoader(SoundDataset(clips, FRESH_SEED), 20):
        right.append(((head(encoder(log_mel)) > 0) == heard.bool()).flatten(0, 1))
    answers = torch.cat(right)
    return Hearing(float(answers.float().mean()), float(answers.all(dim=1).float().mean()))
