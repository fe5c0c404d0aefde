from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import pytest
from mmengine.config import Config

from auralsam2.config import validate
from auralsam2.config_schema import SCHEMA, Node, Section, Value, child_spec, known_keys


def test_a_valid_config_has_no_problems(toy_config: Config) -> None:
    assert validate(toy_config) == []


def test_unknown_keys_are_named_with_path_and_hint(toy_config: Config) -> None:
    toy_config.data.bach_size = 4
    toy_config["modle"] = dict()
    problems = validate(toy_config)
    assert len(problems) == 2
    assert problems[0].startswith("modle: unknown key 'modle'; did you mean 'model'? known: ")
    assert problems[1].startswith("data.bach_size: unknown key 'bach_size'; did you mean")


def test_missing_keys_and_sections_are_reported(toy_config: Config) -> None:
    for section, key in ((toy_config, "seed"), (toy_config, "runtime"), (toy_config.data, "root")):
        section.pop(key)
    assert validate(toy_config) == [
        "seed: missing; state int",
        "data.root: missing; state str",
        "runtime: missing; state a dict with the keys device, checkpoint_every, log_every, "
        "tensorboard, trackers, num_threads, work_dir, hooks, matmul_precision, compile, "
        "channels_last",
    ]


@pytest.mark.parametrize(
    ("section", "key", "value", "expected"),
    [
        ("data", "batch_size", "8", "data.batch_size: must be int, got '8'"),
        ("data", "batch_size", 0, "data.batch_size: must be at least 1, got 0"),
        ("data", "batch_size", True, "data.batch_size: must be int, got True"),
        ("data", "batch_size", 2.0, "data.batch_size: must be int, got 2.0"),
        ("optim", "power", None, "optim.power: must be float, got None"),
        ("optim", "clip_grad", "1", "optim.clip_grad: must be float or dict or None, got '1'"),
        ("optim", "clip_grad", 0, "optim.clip_grad: must be above 0, got 0"),
        (
            "optim",
            "clip_grad",
            dict(max_norm=-1.0, norm_type=2),
            "optim.clip_grad: max_norm must be a number above 0, got -1.0",
        ),
        ("optim", "amp", "float64", "optim.amp: must be 'float16' or 'bfloat16', got 'float64'"),
        ("optim", "amp", True, "optim.amp: must be str or None, got True"),
        ("data", "on_corrupt", "drop", "data.on_corrupt: must be 'stop' or 'skip', got 'drop'"),
        ("runtime", "device", "banana", "runtime.device: got 'banana'; known: auto (a GPU where"),
        ("runtime", "device", "mps:0", "runtime.device: got 'mps:0', which is not supported: on"),
        ("runtime", "tensorboard", 1, "runtime.tensorboard: must be bool, got 1"),
        ("runtime", "num_threads", -1, "runtime.num_threads: must be at least 1, got -1"),
    ],
)
def test_types_and_bounds(toy_config: Config, section, key, value, expected) -> None:
    toy_config[section][key] = value
    (problem,) = validate(toy_config)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("optim", "power", 1),
        ("optim", "amp", "bfloat16"),
        ("data", "on_corrupt", "skip"),
        ("optim", "clip_grad", dict(max_norm=1.0)),
        ("runtime", "num_threads", 2),
    ],
)
def test_accepted_values(toy_config: Config, section, key, value) -> None:
    toy_config[section][key] = value
    assert validate(toy_config) == []


def test_nodes_are_bound_to_signatures_at_every_depth(toy_config: Config) -> None:
    toy_config.model.fusion = dict(type="SumFusion", num_head=1)
    toy_config.model.projector = dict(type="ToyProjector")
    toy_config.model.depth_s = 3
    toy_config.data.test.swapped.dataset.splt = "test"
    toy_config.data.val = dict(type="ToyClip")
    toy_config.evaluation.metrics[0].beta = 1
    toy_config.optim.optimizer = dict(type="AdmW", lr=1)
    problems = "\n".join(validate(toy_config))
    assert problems.count("\n") == 6
    for expected in (
        "model.fusion: SumFusion got an unknown argument 'num_head'; did you mean 'num_heads'?",
        "model.projector: ToyProjector misses its argument 'dim'",
        "model: ToyModel got an unknown argument 'depth_s'; did you mean 'depths'?",
        "data.test.swapped.dataset: ToyClips got an unknown argument 'splt'",
        "data.val: unknown dataset 'ToyClip'; did you mean 'ToyClips'?",
        "evaluation.metrics.0: ToyMetric got an unknown argument 'beta'",
        "optim.optimizer: unknown optimizer 'AdmW'; did you mean 'Adam",
    ):
        assert expected in problems


def test_missing_argument_of_the_model_is_a_problem(toy_config: Config) -> None:
    toy_config.model.pop("fusion")
    assert validate(toy_config) == [
        "model: ToyModel misses its argument 'fusion'; known: fusion, projector, depths, image_size"
    ]


def test_optimizer_arguments_are_checked(toy_config: Config) -> None:
    toy_config.optim.optimizer = dict(type="AdamW", learning_rate=1e-4)
    (problem,) = validate(toy_config)
    assert problem.startswith("optim.optimizer: AdamW got an unknown argument 'learning_rate'")


def test_a_part_that_is_no_node(toy_config: Config) -> None:
    toy_config.model.fusion = "SumFusion"
    toy_config.data.train = dict(split="train")
    assert validate(toy_config) == [
        "model.fusion: must be dict(type=...) naming a fusion, got 'SumFusion'",
        "data.train: must be dict(type=...) naming a dataset, got {'split': 'train'}",
    ]


def test_parts_of_the_same_kind_inside_a_part_are_checked(toy_config: Config) -> None:
    toy_config.model.fusion.inner = [dict(type="GateFusion"), dict(type="GateFusion", gat=1)]
    (problem,) = validate(toy_config)
    assert problem.startswith("model.fusion.inner.1: GateFusion got an unknown argument 'gat'")


def test_a_dict_with_a_type_that_no_registry_knows_is_the_classes_own_affair(
    toy_config: Config,
) -> None:
    toy_config.model.fusion.inner = dict(type="cosine", cycles=2)
    assert validate(toy_config) == []


@pytest.mark.parametrize("value", [[], dict(type="ToyClips"), None])
def test_test_sets_stand_under_names(toy_config: Config, value: object) -> None:
    toy_config.data.test = value
    (problem,) = validate(toy_config)
    assert problem.startswith(
        "data.test: must hold at least one dataset as dict(name=dict(type=...)), got"
    )


def test_a_section_must_be_a_dict(toy_config: Config) -> None:
    toy_config["optim"] = 3
    assert validate(toy_config) == [
        "optim: must be a dict with the keys optimizer, epochs, power, amp, accumulate, "
        "clip_grad, warmup, cosine_to, rate_factors, got 3"
    ]


def test_known_keys_of_sections_nodes_and_lists(toy_config: Config) -> None:
    assert known_keys(SCHEMA, toy_config)[:2] == ["seed", "model"]
    model = child_spec(SCHEMA, "model")
    assert known_keys(model, toy_config.model)[:3] == ["type", "fusion", "projector"]
    fusion = child_spec(model, "fusion")
    assert isinstance(fusion, Node) and fusion.registry.name == "fusion"
    data = child_spec(SCHEMA, "data")
    assert known_keys(child_spec(data, "test"), toy_config.data.test) is None
    assert known_keys(None, [1, 2]) == ["0", "1"]
    assert known_keys(fusion, dict(type="Unknown")) is None


def numbers(section: Section, path: str = "") -> Iterator[tuple[str, Value]]:
    for key, spec in section.keys.items():
        if isinstance(spec, Section):
            yield from numbers(spec, f"{path}{key}.")
        elif isinstance(spec, Value) and {int, float} & set(spec.kinds):
            yield f"{path}{key}", spec


def test_every_number_has_bounds_and_is_finite(toy_config: Config) -> None:
    found = list(numbers(SCHEMA))
    assert {"seed", "data.batch_size", "optim.clip_grad"} <= {key for key, _ in found}
    for key, spec in found:
        assert spec.minimum is not None or spec.above is not None, f"{key} has no bound"
        below = [] if spec.minimum is None else [spec.minimum - 1]
        below += [] if spec.above is None else [spec.above, spec.above - 1]
        for value in (*below, math.nan, math.inf, -math.inf):
            cfg = copy.deepcopy(toy_config)
            section, _, name = key.rpartition(".")
            (cfg[section] if section else cfg)[name] = value
            problems = validate(cfg)
            assert problems and all(p.startswith(f"{key}: must be") for p in problems), (key, value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_argument_of_a_component_is_nan_or_infinite(toy_config: Config, value: float) -> None:
    toy_config.optim.optimizer.lr = value
    toy_config.model.depths = (1, value)
    toy_config.model.fusion.inner = dict(type="GateFusion", gate=value)
    assert [problem.split(":")[0] for problem in validate(toy_config)] == [
        "model.fusion.inner.gate",
        "model.depths.1",
        "optim.optimizer.lr",
    ]


def test_a_part_without_which_a_model_cannot_do_is_not_switched_off(toy_config: Config) -> None:
    toy_config.model.fusion = None
    toy_config.model.projector = None
    assert validate(toy_config) == [
        "model.fusion: ToyModel needs it, dict(type=...) naming a fusion, got None"
    ]
