import gc
import os
from pathlib import Path

import pytest
import torch

from auralsam2.predictor.kept import KeptTensors

CPU = torch.device("cpu")


def tensors(seed: int, *dtypes: torch.dtype) -> tuple[torch.Tensor, ...]:
    g = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(3, 1000, generator=g).t().to(d) for d in dtypes)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_beyond_the_budget_comes_back_from_a_file_bit_for_bit() -> None:
    kept = KeptTensors(0.02)  # of one entry
    given = {n: tensors(n, torch.float32, torch.bfloat16) for n in range(3)}
    for key, value in given.items():
        kept.put(key, value)
    assert kept.in_memory == 18_000 and kept.in_file == 36_000
    for key, value in given.items():
        found = kept.get(key, CPU)
        for a, b in zip(found, value, strict=True):
            assert torch.equal(a, b) and (a.dtype, a.stride()) == (b.dtype, b.stride())


def test_room_is_used_again() -> None:
    kept = KeptTensors(0)
    for n in range(5):
        kept.put("same", tensors(n, torch.float32))
        kept.put(n, tensors(n, torch.float32))
        kept.drop(n)
    assert kept.in_file == 24_000 and "same" in kept and 4 not in kept
    assert torch.equal(kept.get("same", CPU)[0], tensors(4, torch.float32)[0])


def test_a_view_does_not_hold_what_it_looks_into() -> None:
    whole = torch.zeros(10_000)
    kept = KeptTensors(1)
    kept.put("part", [whole[:10]])
    assert kept.get("part", CPU)[0].untyped_storage().nbytes() == 40


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files of Linux")
def test_its_file_is_given_back_when_nobody_asks_any_more(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gc.collect()
    before = open_files()
    kept = KeptTensors(0)
    kept.put("a", tensors(0, torch.float32))
    assert open_files() == before + 1
    assert not list(tmp_path.iterdir())  # it has no name that could stay behind
    del kept
    gc.collect()
    assert open_files() == before
    closed = KeptTensors(0)
    closed.close()
    assert open_files() == before


def test_a_full_disk_says_what_to_do(monkeypatch) -> None:
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space left on device; set TMPDIR .* fps"):
        KeptTensors(0).put("a", tensors(0, torch.float32))
