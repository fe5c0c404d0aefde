"""A step of every component on a GPU against the CPU, and runs on it.

Without a GPU these are skipped. AURALSAM2_TEST_DEVICE=cpu compares the CPU with itself, which shows
that the tests themselves work.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.devices import pick_device
from auralsam2.engine.progress import Progress
from auralsam2.engine.train import train
from auralsam2.models.weights import read_state
from tests.gpu import cases as all_cases
from tests.gpu.cases import Case, go_back, tensors, without_dropout

DEVICE = os.environ.get("AURALSAM2_TEST_DEVICE", "cuda")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        DEVICE != "cpu" and not torch.cuda.is_available(),
        reason="torch sees no CUDA device (AURALSAM2_TEST_DEVICE=cpu tries the tests themselves)",
    ),
]
CASES = dict(all_cases.cases())


@pytest.fixture(autouse=True)
def _whole_float32() -> Iterator[None]:
    """Without TF32, which convolutions take by default and which has ten bits."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.fixture
def device() -> torch.device:
    return pick_device(DEVICE)


def stepped(case: Case, device: torch.device, amp: torch.dtype | None = None) -> dict[str, Any]:
    """Outputs and gradients of a step on a device, as the CPU has them."""
    torch.manual_seed(0)
    component, inputs = without_dropout(case.build()), case.inputs()
    if isinstance(component, nn.Module):
        component = component.to(device).train()
    inputs = tree_map(lambda x: x.to(device) if isinstance(x, Tensor) else x, inputs)
    with torch.autocast(device.type, dtype=amp or torch.bfloat16, enabled=amp is not None):
        outputs = case.call(component, inputs)
    found: dict[str, Any] = {"outputs": tensors(outputs)}
    if go_back(outputs) and isinstance(component, nn.Module):
        found["gradients"] = [p.grad for p in component.parameters() if p.grad is not None]
    if case.evaluated is not None:
        with torch.no_grad():
            found["answers"] = tensors(case.evaluated(component.eval(), inputs))
    return {what: [x.detach().cpu() for x in there] for what, there in found.items()}


def distance(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """Of two lists of tensors, as a share of the second one's length."""
    assert [x.shape for x in ours] == [x.shape for x in theirs]
    pairs = list(zip(ours, theirs))
    apart = sum(float((a.double() - b.double()).nan_to_num().square().sum()) for a, b in pairs)
    length = sum(float(b.double().nan_to_num().square().sum()) for b in theirs)
    return (apart / max(length, 1e-12)) ** 0.5


@pytest.mark.parametrize("label", CASES)
def test_a_step_is_that_of_the_cpu(label: str, device: torch.device) -> None:
    case = CASES[label]()
    ours, theirs = stepped(case, device), stepped(case, torch.device("cpu"))
    assert ours.keys() == theirs.keys()
    far = {what: distance(ours[what], theirs[what]) for what in theirs}
    assert all(value < (0.02 if what == "gradients" else 2e-3) for what, value in far.items()), far


@pytest.mark.parametrize("label", CASES)
def test_a_step_in_bfloat16_is_near_to_it(label: str, device: torch.device) -> None:
    case = CASES[label]()
    ours = stepped(case, device, torch.bfloat16)
    theirs = stepped(case, torch.device("cpu"))
    assert all(x.isfinite().all() for what in ("outputs", "gradients") for x in ours.get(what, ()))
    assert distance(ours["outputs"], theirs["outputs"]) < 0.15


def test_twice_the_same(device: torch.device) -> None:
    case = CASES["auralsam2/mini_v1m"]()
    first, second = stepped(case, device), stepped(case, device)
    assert all(torch.equal(a, b) for a, b in zip(first["outputs"], second["outputs"]))
    # Sums of the way back are taken in no fixed order on a GPU.
    assert distance(first["gradients"], second["gradients"]) < 1e-4


@pytest.fixture(scope="module")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gpu") / "clips"
    write_clips(root, Plan("v1m", (4, 2, 2), seed=3, size=64, num_frames=2))
    return root


def tiny(root: Path, **changes: Any) -> Any:
    cfg = all_cases.load("auralsam2/mini_v1m", {})
    settings = {
        "data.root": str(root),
        "data.batch_size": 2,
        "data.test": {"test": dict(type="AVSBenchDataset", subset="v1m", split="test")},
        "optim.epochs": 2,
        "runtime.tensorboard": False,
        "runtime.device": DEVICE,
        "evaluation.num_saved_clips": 0,
        "evaluation.measure_speed": False,
    }
    for key, value in {**settings, **changes}.items():
        configs.set_node(cfg, key, value)
    return cfg


class Unplugged(Progress):
    """Pulls the plug after the first validation."""

    def validated(self, epoch: int, scores: Any) -> None:
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_training_goes_on_where_it_was_cut_off(tiny_data: Path, tmp_path: Path) -> None:
    cfg = tiny(tiny_data)
    whole = train(cfg, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(cfg, tmp_path / "pieces", progress=Unplugged())
    pieces = train(cfg, tmp_path / "pieces")
    assert pieces.status == "done" and pieces.epochs == whole.epochs == 2
    ours = read_state(tmp_path / "pieces" / "best.safetensors")
    theirs = read_state(tmp_path / "whole" / "best.safetensors")
    assert ours.keys() == theirs.keys()
    floats = [k for k in theirs if theirs[k].is_floating_point()]
    assert distance([ours[k] for k in floats], [theirs[k] for k in floats]) < 1e-3


@pytest.mark.parametrize("name", ["cpu", *["cuda", "cuda:0"] * (DEVICE != "cpu")])
def test_the_device_that_a_config_states(name: str, tiny_data: Path, tmp_path: Path) -> None:
    record = train(tiny(tiny_data, **{"runtime.device": name, "optim.epochs": 1}), tmp_path)
    assert record.status == "done"
    assert record.environment["device"].startswith(name.partition(":")[0])


def test_two_runs_at_once(tiny_data: Path, tmp_path: Path) -> None:
    running = []
    for seed in (0, 1):
        file = tmp_path / f"config{seed}.py"
        configs.dump(tiny(tiny_data, seed=seed, **{"optim.epochs": 1}), file)
        command = [sys.executable, "-m", "auralsam2_tools", "train", str(file)]
        command += ["--out", str(tmp_path / f"run{seed}")]
        running.append(
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
        )  # fmt: skip
    printed = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n".join(printed)
