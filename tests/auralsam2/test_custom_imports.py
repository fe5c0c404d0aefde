from __future__ import annotations

import sys
from pathlib import Path

import pytest

from auralsam2.config import ConfigError, dump, load
from auralsam2.registry import FUSIONS, ComponentArgumentError

FUSION = '''
from auralsam2.registry import FUSIONS

@FUSIONS.register_module()
class OutsideFusion:
    """A fusion of one's own."""

    def __init__(self, channels, strength=1.0):
        self.strength = strength
'''


def write_config(cfg: dict, folder: Path, imports: list[str], **more: object) -> Path:
    cfg["model"]["fusion"] = dict(type="OutsideFusion", strength=2.0)
    cfg["custom_imports"] = dict(imports=imports, **more)
    path = folder / "outside.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in cfg.items()))
    return path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.problems


def test_a_file_beside_the_config_registers_a_component(
    toy_config_dict: dict, tmp_path: Path
) -> None:
    (tmp_path / "outside_fusion.py").write_text(FUSION)
    cfg = load(write_config(toy_config_dict, tmp_path, ["outside_fusion.py"]))
    assert FUSIONS.build(cfg.model.fusion, channels=4).strength == 2.0
    (tmp_path / "run").mkdir()
    dump(cfg, tmp_path / "run" / "config.py")
    assert load(tmp_path / "run" / "config.py").model.fusion.type == "OutsideFusion"


def test_imports_that_fail_are_problems(toy_config_dict: dict, tmp_path: Path) -> None:
    path = write_config(toy_config_dict, tmp_path, ["no_such_module_here", "no_such_file.py"])
    problems = problems_of(path)
    assert problems[0].startswith("custom_imports.imports: cannot import 'no_such_module_here'")
    assert "no_such_file.py" in problems[1]
    assert "unknown fusion 'OutsideFusion'" in problems[2]


def test_failed_imports_may_be_allowed(toy_config_dict: dict, tmp_path: Path) -> None:
    path = write_config(
        toy_config_dict, tmp_path, ["no_such_module_here"], allow_failed_imports=True
    )
    (problem,) = problems_of(path)
    assert "OutsideFusion" in problem


BROKEN = {
    "syntax": ("class OutsideFusion(:\n    pass\n", "SyntaxError: invalid syntax (line 1: class"),
    "name": (
        "import math\n\nmaths.pi\n",
        "NameError: name 'maths' is not defined (line 3: maths.pi)",
    ),
    "import": ("from auralsam2.registry import FUSION\n", "cannot import name 'FUSION'"),
    "module": (
        "import auralsam2.data.resizing\n",
        "'auralsam2.data.resizing' (line 1: import auralsam2.data.resizing); docs/extend.md says",
    ),
    "twice": (
        FUSION + FUSION[FUSION.index("@") :],
        "OutsideFusion is already registered in fusion",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_one_problem_with_its_line(
    toy_config_dict: dict, tmp_path: Path, fault: str
) -> None:
    text, said = BROKEN[fault]
    (tmp_path / "own.py").write_text(text)
    problem = problems_of(write_config(toy_config_dict, tmp_path, ["own.py"]))[0]
    assert problem.startswith("custom_imports.imports: cannot import ")
    assert str(tmp_path / "own.py") in problem and said in problem


def test_a_forgotten_decorator_is_told(toy_config_dict: dict, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(FUSION.replace("@FUSIONS.register_module()", ""))
    (problem,) = problems_of(write_config(toy_config_dict, tmp_path, ["own.py"]))
    assert "unknown fusion 'OutsideFusion'" in problem
    assert f"'{tmp_path / 'own.py'}' has a class 'OutsideFusion' that is not registered" in problem


def test_an_argument_without_a_default_is_told(toy_config_dict: dict, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(FUSION.replace("strength=1.0", "gate, strength=1.0"))
    (problem,) = problems_of(write_config(toy_config_dict, tmp_path, ["own.py"]))
    assert problem.startswith("model.fusion: OutsideFusion misses its argument 'gate'")


def test_another_base_class_is_told(
    toy_config_dict: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FUSIONS, "base", "torch.nn:Module")
    (tmp_path / "own.py").write_text(FUSION)
    wanted = "OutsideFusion is no fusion: derive it from torch.nn.Module"
    path = write_config(toy_config_dict, tmp_path, ["own.py"])
    assert problems_of(path) == [f"model.fusion: {wanted}"]
    with pytest.raises(ComponentArgumentError, match=wanted):
        FUSIONS.build(dict(type="OutsideFusion"), channels=4)


def test_imports_of_the_command_line_come_before_what_they_name(
    toy_config_dict: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("configs", "here"):
        (tmp_path / folder).mkdir()
    path = write_config(toy_config_dict, tmp_path / "configs", [])
    path.write_text(
        path.read_text() + "\ndel custom_imports\nmodel['fusion'] = dict(type='SumFusion')\n"
    )
    (tmp_path / "here" / "own.py").write_text(FUSION)
    monkeypatch.chdir(tmp_path / "here")
    cfg = load(path, {"model.fusion": "OutsideFusion", "custom_imports.imports": ["own.py"]})
    assert cfg.custom_imports.imports == [str(tmp_path / "here" / "own.py")]
    assert FUSIONS.build(cfg.model.fusion, channels=4).strength == 1.0


def test_other_settings_leave_a_configs_own_files_where_they_are(
    toy_config_dict: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside_fusion.py").write_text(FUSION)
    path = write_config(toy_config_dict, tmp_path, ["outside_fusion.py"])
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    cfg = load(path, {"custom_imports.allow_failed_imports": True})
    assert cfg.custom_imports.imports == [str(tmp_path / "outside_fusion.py")]


@pytest.fixture
def own_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back what imports leave in the interpreter."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("beside_"):
            del sys.modules[name]


def test_modules_beside_a_file_can_be_imported(
    toy_config_dict: dict, tmp_path: Path, own_modules: None
) -> None:
    (tmp_path / "beside_it").mkdir()
    (tmp_path / "beside_it" / "__init__.py").write_text("from .gain import GAIN")
    (tmp_path / "beside_it" / "gain.py").write_text("GAIN = 3.0")
    text = FUSION.replace("strength=1.0", "strength=None").replace("= strength", "= GAIN")
    (tmp_path / "own.py").write_text("from beside_it import GAIN\n" + text)
    cfg = load(write_config(toy_config_dict, tmp_path, ["own.py"]))
    assert FUSIONS.build(cfg.model.fusion, channels=4).strength == 3.0


def test_a_module_that_another_one_hides_is_told(
    toy_config_dict: dict, tmp_path: Path, own_modules: None
) -> None:
    for folder, gain in (("first", 1.0), ("second", 2.0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "beside_gain.py").write_text(f"GAIN = {gain}")
        (tmp_path / folder / "own.py").write_text(f"import beside_gain  # {gain}\n")
    (tmp_path / "second" / "json.py").write_text("")
    (tmp_path / "second" / "another.py").write_text("import json\n")
    imports = ["first/own.py", "second/own.py", "second/another.py"]
    toy_config_dict["model"]["fusion"] = dict(type="SumFusion")
    path = write_config(toy_config_dict, tmp_path, imports)
    path.write_text(path.read_text() + "\nmodel['fusion'] = dict(type='SumFusion')\n")
    second, third = problems_of(path)
    assert "second/own.py" in second and f"'{tmp_path / 'second/beside_gain.py'}'" in second
    assert str(tmp_path / "first" / "beside_gain.py") in second and "rename the file" in second
    assert "it imports 'json'" in third
