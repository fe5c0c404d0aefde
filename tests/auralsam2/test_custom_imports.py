from __future__ import annotations

from pathlib import Path

import pytest

from auralsam2.config import ConfigError, dump, load
from auralsam2.registry import FUSIONS

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
    with pytest.raises(ConfigError) as caught:
        load(path)
    problems = caught.value.problems
    assert problems[0].startswith("custom_imports.imports: cannot import 'no_such_module_here'")
    assert "no_such_file.py" in problems[1]
    assert "unknown fusion 'OutsideFusion'" in problems[2]


def test_failed_imports_may_be_allowed(toy_config_dict: dict, tmp_path: Path) -> None:
    path = write_config(
        toy_config_dict, tmp_path, ["no_such_module_here"], allow_failed_imports=True
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert len(caught.value.problems) == 1 and "OutsideFusion" in str(caught.value)
