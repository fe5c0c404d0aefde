from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from auralsam2.data.audio import log_mel_examples, read_waveform
from auralsam2.data.datasets.avsbench import AVSBenchObjectDataset
from auralsam2.data.problems import DataError
from auralsam2.registry import DATASETS

from ..trees import log_mels


@pytest.mark.parametrize(
    ("subset", "split", "num_labels", "source"),
    [
        ("v1s", "train", 1, "avsbench-object/s4"),
        ("v1s", "test", 5, "avsbench-object/s4"),
        ("v1m", "train", 5, "avsbench-object/ms3"),
    ],
)
def test_an_item_is_that_of_every_reader(
    object_root: Path, subset: str, split: str, num_labels: int, source: str
) -> None:
    dataset = AVSBenchObjectDataset(str(object_root), subset, split, image_size=16)
    item = dataset[0]
    assert len(dataset) == 1 and dataset.label_source == source
    assert item["frames"].shape == (5, 3, 16, 16)
    assert item["frames"].float().mean(dim=(1, 2, 3)).tolist() == [20, 40, 60, 80, 100]
    assert item["native_masks"].shape == (5, 24, 32)
    rows = torch.zeros(5, 24)
    rows[:num_labels, 4:12] = 1
    assert torch.equal(item["native_masks"].float().mean(2), rows)
    assert item["supervised"].tolist() == [t < num_labels for t in range(5)]
    assert torch.equal(item["log_mel"][:, 0], item["log_mel"][:, 1])
    assert np.array_equal(item["log_mel"][:, :1].numpy(), log_mels())


def test_wav_gives_both_ears(object_root: Path) -> None:
    item = AVSBenchObjectDataset(str(object_root), image_size=16, audio="wav")[0]
    path = object_root / "ms3_data" / "audio_wav" / "train" / "many_1.wav"
    assert np.array_equal(item["log_mel"].numpy(), log_mel_examples(*read_waveform(path), 5))
    assert not torch.equal(item["log_mel"][:, 0], item["log_mel"][:, 1])


def test_sound_and_its_files_are_part_of_the_fingerprint(
    object_root: Path, put_log_mel: Callable[[object], Path]
) -> None:
    def prints() -> list[str]:
        sounds = ("log_mel", "wav")
        return [AVSBenchObjectDataset(str(object_root), audio=a).fingerprint() for a in sounds]

    before = prints()
    put_log_mel(log_mels(seed=1))
    assert before[0] != before[1] == prints()[1] and prints()[0] != before[0]


def test_another_sound_can_be_swapped_in(object_root: Path) -> None:
    index = object_root / "ms3_meta_data.csv"
    index.write_text(index.read_text().replace(",val", ",train"))
    for folder in ("gt_masks", "audio_log_mel"):
        base = object_root / "ms3_data" / folder
        for path in list((base / "val").iterdir()):
            path.rename(base / "train" / path.name)
    swapped = DATASETS.build(
        dict(type="AudioSwapped", dataset=dict(type="AVSBenchObjectDataset")),
        root=str(object_root),
        image_size=16,
    )
    assert swapped.partners == [1, 0] and swapped.label_source == "avsbench-object/ms3"


@pytest.mark.parametrize(("subset", "split"), [("v1s", "test"), ("v1m", "val")])
def test_labels_lie_where_predictions_would(object_root: Path, subset: str, split: str) -> None:
    dataset = AVSBenchObjectDataset(str(object_root), subset, split, image_size=32)
    folder = object_root / dataset.label_folder(0)
    assert {path.parent for path in dataset.files[0].labels} == {folder}
    shutil.rmtree(folder)
    with pytest.raises(DataError, match="gt_masks"):
        AVSBenchObjectDataset(str(object_root), subset, split, image_size=32)
    bare = AVSBenchObjectDataset(str(object_root), subset, split, image_size=32, labelled=False)
    assert bare[0]["native_masks"].shape == (5, 24, 32) and not bare[0]["native_masks"].any()
    assert bare.label_folder(0) == dataset.label_folder(0)
