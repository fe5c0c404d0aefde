"""Runs side by side get the numbers that they get alone, whatever the others do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from auralsam2.engine.lockstep import Lockstep, LockstepHook, Place, SharedBatches, SharedEncoder
from auralsam2.engine.progress import Progress, StopRun
from auralsam2.engine.run_record import RunRecord
from auralsam2.engine.train import train
from auralsam2.models.backbones.sam2_backbone import SAM2Backbone

FUSIONS = {
    "attention": dict(type="TwoWayCrossAttentionFusion", scope="frame", dropout=0.1),
    "film": dict(type="FiLMFusion"),
}
RANDOM = [dict(type="RandomClipFlip"), dict(type="ClipColourJitter")]


def side_by_side(*members: Callable[[Any], object]) -> list[object]:
    """What members return, or raise, each called with its hook in a thread of its own."""
    together, results = Lockstep(len(members)), [None] * len(members)

    def do(index: int) -> None:
        try:
            with together.member(index, lambda: int) as hook:
                results[index] = members[index](hook)
        except BaseException as error:
            results[index] = error

    threads = [threading.Thread(target=do, args=(i,)) for i in range(len(members))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results


def test_whoever_is_behind_goes_first() -> None:
    order: list[tuple[str, Place]] = []

    def goes_through(name: str, places: Sequence[Place]) -> Callable[[Any], None]:
        def member(hook: Any) -> None:
            order.append((name, (-1, 0, 0)))
            for place in places:
                hook.turn(place)
                order.append((name, place))

        return member

    first = [(1, 1, 0), (1, 1, 1), (2, 0, 0)]
    behind = [(0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1)]
    side_by_side(goes_through("a", first), goes_through("b", behind))
    assert [name for name, _ in order] == list("abbbbababa")
    assert [place for _, place in order] == sorted(place for _, place in order)


def test_who_fails_leaves_the_others_and_a_stop_ends_all() -> None:
    went: list[Place] = []

    def fails(hook: Any) -> None:
        hook.turn((0, 1, 0))
        raise RuntimeError("broken")

    def goes_on(hook: Any) -> None:
        for batch in range(3):
            hook.turn((0, 1, batch))
            went.append((0, 1, batch))
        hook.lockstep.stop()

    def waits(hook: Any) -> None:
        hook.turn((9, 0, 0))

    results = side_by_side(fails, goes_on, waits)
    assert isinstance(results[0], RuntimeError) and results[1] is None and len(went) == 3
    assert isinstance(results[2], KeyboardInterrupt)


def test_every_turn_brings_back_random_states_and_says_so() -> None:
    drawn: dict[str, list[float]] = {"a": [], "b": []}
    turns: list[int] = []

    def draws(name: str, seed: int) -> Callable[[Any], None]:
        def member(hook: Any) -> None:
            hook.on_turn = lambda: turns.append(hook.index)
            torch.manual_seed(seed)
            for batch in range(3):
                hook.turn((0, 1, batch))
                drawn[name].append(float(torch.rand(())))

        return member

    side_by_side(draws("a", 1), draws("b", 2))
    for name, seed in {"a": 1, "b": 2}.items():
        generator = torch.Generator().manual_seed(seed)
        assert drawn[name] == [float(torch.rand((), generator=generator)) for _ in range(3)]
    assert turns == [0, 1, 0, 1, 0, 1]


def test_a_batch_is_read_once_and_what_reading_raises_is_raised_for_all() -> None:
    reads: list[str] = []

    def loader(name: str) -> Iterator[dict[str, Any]]:
        reads.append(name)
        yield {"frames": name, "skipped": ()}
        raise OSError("torn")

    batches = SharedBatches()
    first, second = (batches.take((0, 1, 0), Loader(loader, name)) for name in "ab")
    first.pop("skipped")  # as the hook that counts corrupt clips does
    assert reads == ["a"] and second == {"frames": "a", "skipped": ()}
    for name in "ab":
        with pytest.raises(OSError, match="torn"):
            batches.take((0, 1, 1), Loader(loader, name))
    assert batches.take((0, 0, 0), Loader(loader, "b"))["frames"] == "b"


class Loader:
    def __init__(self, read: Callable[[str], Iterator[Any]], name: str) -> None:
        self.read, self.name = read, name

    def __iter__(self) -> Iterator[Any]:
        return self.read(self.name)


def model_of(seed: int, feature_cache: object = None, **settings: Any) -> nn.Module:
    model = nn.Module()
    torch.manual_seed(seed)
    model.backbone = SAM2Backbone(random_weights=True, image_size=64, **settings)
    model.feature_cache = feature_cache
    return model


def places(model: nn.Module) -> dict[str, int]:
    return {name: parameter.data_ptr() for name, parameter in model.named_parameters()}


def test_frozen_weights_are_kept_once_and_others_are_left_alone() -> None:
    shared, own_cache = SharedEncoder(), object()
    first, second, cached = model_of(0), model_of(0), model_of(0, own_cache)
    first.head, second.head = nn.Linear(2, 2), nn.Linear(2, 2)  # trained
    second.ears = nn.Linear(2, 2).requires_grad_(False)  # frozen, and its own
    whole = {name for name in places(first) if not name.startswith("head")}
    assert len(shared.join(first)) == len(shared.join(cached)) == len(whole)
    assert len(shared.join(second)) == len(whole) + 2
    same = {name for name, place in places(first).items() if place == places(second).get(name)}
    assert same == whole
    assert first.feature_cache is second.feature_cache is shared.pyramid
    assert cached.feature_cache is own_cache

    other, trained = model_of(1), model_of(0, frozen=False)
    before = {k: v.clone() for k, v in other.state_dict().items()}
    assert len(shared.join(other)) < len(whole) and shared.join(trained) == []
    assert other.feature_cache is None and trained.feature_cache is None
    assert all(torch.equal(v, before[k]) for k, v in other.state_dict().items())


def test_what_a_hook_lets_learn_is_a_runs_own_from_then_on() -> None:
    together = Lockstep(2)
    models, hooks = [model_of(0), model_of(0)], [LockstepHook(together, i, id) for i in (0, 1)]
    runners = [
        SimpleNamespace(
            model=model,
            experiment_name="",
            train_loop=SimpleNamespace(dataloader=()),
            val_loop=SimpleNamespace(dataloader=()),
        )
        for model in models
    ]
    for hook, runner in zip(hooks, runners, strict=True):
        hook.before_train(runner)
    models[1].backbone.network.image_encoder.requires_grad_(True)
    for hook, runner in zip(hooks, runners, strict=True):
        hook.before_train_iter(runner, 0)
    moved = {name for name, place in places(models[0]).items() if place != places(models[1])[name]}
    assert moved == {name for name in places(models[0]) if "image_encoder" in name}
    assert models[0].feature_cache is not None and models[1].feature_cache is None


class Counting(Hook):
    """How often the image encoder runs in training and validation."""

    def __init__(self) -> None:
        self.encoded = 0

    def before_train(self, runner: Any) -> None:
        encoder = runner.model.backbone.network.image_encoder
        encoder.register_forward_hook(lambda *_: setattr(self, "encoded", self.encoded + 1))


@pytest.fixture(scope="module")
def config_of(load_tiny: Callable[[], Any]) -> Callable[[str], Any]:
    def make(fusion: str) -> Any:
        cfg = load_tiny()
        cfg.model.feature_cache_mb = 0
        cfg.model.fusion = FUSIONS[fusion]
        cfg.model.visual_attention.dropout = 0.1
        cfg.data.train.transforms = RANDOM
        return cfg

    return make


@pytest.fixture(scope="module")
def alone(
    config_of: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[RunRecord, Path]]:
    """Record and folder of every fusion trained by itself."""
    folder = tmp_path_factory.mktemp("alone")
    return {name: (train(config_of(name), folder / name), folder / name) for name in FUSIONS}


def test_numbers_are_those_of_single_runs_and_a_failure_is_one_runs_own(
    config_of: Callable[[str], Any],
    alone: Any,
    tmp_path: Path,
    watching: Any,
    assert_same_run: Any,
) -> None:
    counting = [Counting() for _ in FUSIONS]
    failing = watching(step=3, error=RuntimeError("out of luck"))

    def member(name: str, hooks: Sequence[Hook], progress: Progress | None = None) -> Any:
        folder = tmp_path / f"{name}{'' if progress is None else '_fails'}"
        return lambda hook: train(config_of(name), folder, hooks=[hook, *hooks], progress=progress)

    members = [member(name, [counting[i]]) for i, name in enumerate(FUSIONS)]
    results = side_by_side(member("film", [], failing), *members)
    assert isinstance(results[0], RuntimeError)
    for name, record in zip(FUSIONS, results[1:], strict=True):
        assert_same_run(record, tmp_path / name, *alone[name])
    # 2 epochs of 2 batches in training and 1 in validation, of which the failing run encoded 3 + 1;
    # every test reads its clips again, in 2 batches with the control of each beside it.
    assert [c.encoded for c in counting] == [2 + 2, 2]


def test_members_that_stopped_at_different_epochs_go_on(
    config_of: Callable[[str], Any],
    alone: Any,
    tmp_path: Path,
    watching: Any,
    assert_same_run: Any,
) -> None:
    stops = watching(validation=1, error=StopRun("enough"))
    stopped = train(config_of("film"), tmp_path / "film", progress=stops)
    assert stopped.status == "stopped" and stopped.epochs != 2
    names = ("film", "attention")
    members = [
        (lambda hook, name=name: train(config_of(name), tmp_path / name, hooks=[hook]))
        for name in names
    ]
    for name, record in zip(names, side_by_side(*members), strict=True):
        assert_same_run(record, tmp_path / name, *alone[name])
