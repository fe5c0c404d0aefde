from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auralsam2.data.datasets.partner_audio import AudioSwapped
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.registry import DATASETS

NODE = dict(type="AVSBenchDataset", split="train")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("swapped") / "clips"
    write_clips(path, Plan("v1m", (12, 1, 1), seed=3, size=24))
    return str(path)


def test_every_clip_hears_things_that_do_not_sound_in_it(root: str) -> None:
    swapped = AudioSwapped(NODE, root=root, image_size=16)
    files = swapped.dataset.files
    assert len(swapped) == len(swapped.partners) == 12
    for own, partner in enumerate(swapped.partners):
        assert partner != own
        assert files[partner].sources
        assert not files[own].sources & files[partner].sources


def test_only_the_sound_is_swapped(root: str) -> None:
    plain = DATASETS.build(NODE, root=root, image_size=16)
    swapped = AudioSwapped(NODE, root=root, image_size=16)
    assert swapped.clips == plain.clips
    for i, partner in enumerate(swapped.partners):
        one, other = plain[i], swapped[i]
        assert one.keys() == other.keys()
        for key in ("frames", "masks", "native_masks", "supervised"):
            assert torch.equal(one[key], other[key])
        assert other["clip"] == one["clip"]
        assert torch.equal(other["log_mel"], plain[partner]["log_mel"])
        assert not torch.equal(other["log_mel"], one["log_mel"])
        assert torch.equal(plain[i]["log_mel"], one["log_mel"])


def test_partners_and_fingerprint_hang_on_the_seed(root: str) -> None:
    first, again, other = (AudioSwapped(NODE, root=root, seed=s) for s in (0, 0, 1))
    assert first.partners == again.partners != other.partners
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert first.fingerprint() != first.dataset.fingerprint()


def test_it_builds_from_a_config_node(root: str) -> None:
    node = dict(type="AudioSwapped", dataset=NODE, seed=4)
    built = DATASETS.build(node, root=root, image_size=16)
    assert built.seed == 4 and built[0]["frames"].shape == (5, 3, 16, 16)


def test_a_clip_without_a_partner_is_named(root: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'clip00012_s3' \(.*\) has no partner"):
        AudioSwapped(dict(NODE, split="val"), root=root)
