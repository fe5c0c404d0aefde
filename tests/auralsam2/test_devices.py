from __future__ import annotations

import pytest
import torch
from mmengine.config import ConfigDict

from auralsam2.devices import check_amp, device_problem, pick_device, set_up_device, wants_gpu


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch):
    """Let the machine have some GPUs; returns the list of those made the current one."""

    def have(count: int, rank: int | None = None, processes: int = 1) -> list[torch.device]:
        chosen: list[torch.device] = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
        monkeypatch.setenv("WORLD_SIZE", str(processes))
        monkeypatch.delenv("LOCAL_RANK", raising=False)
        if rank is not None:
            monkeypatch.setenv("LOCAL_RANK", str(rank))
        return chosen

    return have


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:0", "cuda:12"])
def test_known_names(name: str) -> None:
    assert device_problem(name) == ""


@pytest.mark.parametrize("name", ["banana", "", "CPU", "cuda:", "cuda:x", "cuda:-1", "gpu", " cpu"])
def test_unknown_names(name: str) -> None:
    assert device_problem(name).startswith(f"got {name!r}; known: auto (a GPU where there is one)")
    with pytest.raises(ValueError, match="runtime.device got"):
        pick_device(name)


def test_apples_gpus_are_refused_with_the_reason() -> None:
    assert "not supported" in device_problem("mps") and "float64" in device_problem("mps:0")


@pytest.mark.parametrize(
    ("name", "count", "device"),
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda:0"),
        ("cpu", 2, "cpu"),
        ("cuda", 2, "cuda:0"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_a_name_is_a_device_of_this_machine(gpus, name: str, count: int, device: str) -> None:
    chosen = gpus(count)
    assert pick_device(name) == torch.device(device)
    assert chosen == ([] if device == "cpu" else [torch.device(device)])
    assert wants_gpu(name) == (device != "cpu")


@pytest.mark.parametrize(
    ("name", "count", "seen"),
    [("cuda", 0, "no GPU"), ("cuda:7", 2, "2 GPUs"), ("cuda:1", 1, "1 GPU")],
)
def test_a_gpu_that_is_not_there(gpus, name: str, count: int, seen: str) -> None:
    chosen = gpus(count)
    with pytest.raises(ValueError, match=f"got '{name}', but torch sees {seen} here; take cpu"):
        pick_device(name)
    assert chosen == []


def test_every_process_takes_its_own_gpu(gpus) -> None:
    gpus(2, rank=1, processes=2)
    assert pick_device("auto") == pick_device("cuda") == torch.device("cuda:1")
    assert pick_device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match="several processes need a GPU each: take cuda or auto"):
        pick_device("cuda:0")
    gpus(1, rank=1, processes=2)
    with pytest.raises(ValueError, match="sees 1 GPU here, process 1 needs one of its own"):
        pick_device("auto")


def test_the_cpu_gets_the_threads_that_are_stated() -> None:
    before = torch.get_num_threads()
    try:
        for stated in (before + 1, None):
            runtime = ConfigDict(device="cpu", num_threads=stated)
            assert set_up_device(runtime) == torch.device("cpu")
            assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_products_have_the_precision_that_is_stated_for_one_run() -> None:
    for stated, given in (("high", dict(matmul_precision="high")), ("highest", {})):
        set_up_device(ConfigDict(device="cpu", num_threads=None, **given))
        assert torch.get_float32_matmul_precision() == stated


def test_precisions_that_a_device_does_not_train_in(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda:0")
    check_amp(None, cpu)
    with pytest.raises(ValueError, match="optim.amp='float16' needs a GPU, this run is on the cpu"):
        check_amp("float16", cpu)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Old One")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    check_amp("float16", gpu)
    with pytest.raises(ValueError, match="'bfloat16' is nothing that Old One can do"):
        check_amp("bfloat16", gpu)
