"""Each source module has its mirrored test, or is named here with the test that covers it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("auralsam2", "ablations", "analysis", "tools")
COVERED_BY = {
    "ablations/executors/base.py": "ablations/executors/test_local.py",
    "ablations/executors/remote.py": "ablations/executors/test_slurm.py",
    "ablations/executors/worker.py": "ablations/executors/test_local.py",
    "ablations/sweeps/stated_values.py": "ablations/sweeps/test_search_space.py",
    "analysis/claims/measure.py": "analysis/claims/test_judge.py",
    "analysis/claims/verdict.py": "analysis/claims/test_judge.py",
    "analysis/report/pages.py": "analysis/report/test_write.py",
    "analysis/tables/latex_text.py": "analysis/tables/test_latex.py",
    "auralsam2/builder.py": "auralsam2/test_registry.py",
    "auralsam2/command_line.py": "tools/test_options.py",
    "auralsam2/config_validation.py": "auralsam2/test_config_schema.py",
    "auralsam2/data/clip_contents.py": "auralsam2/data/datasets/test_counterfactual.py",
    "auralsam2/data/datasets/index.py": "auralsam2/data/datasets/test_avsbench_index.py",
    "auralsam2/data/datasets/partner_audio.py": "auralsam2/data/datasets/test_counterfactual.py",
    "auralsam2/data/processes.py": "auralsam2/data/synthetic/test_writer.py",
    "auralsam2/data/synthetic/background.py": "auralsam2/data/synthetic/test_scene.py",
    "auralsam2/data/synthetic/objects.py": "auralsam2/data/synthetic/test_scene.py",
    "auralsam2/data/video_opening.py": "auralsam2/data/test_video.py",
    "auralsam2/demo/incoming.py": "auralsam2/demo/test_app.py",
    "auralsam2/engine/backbone_problems.py": "auralsam2/engine/test_preflight.py",
    "auralsam2/engine/benchmark/cases.py": "tools/test_benchmark.py",
    "auralsam2/engine/benchmark/report.py": "auralsam2/engine/benchmark/test_measure.py",
    "auralsam2/engine/metric_scales.py": "analysis/test_metric_directions.py",
    "auralsam2/engine/parity/audio.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/avsegformer.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/eemc.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/fixtures.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/fuser.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/gavs.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/losses.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/metrics.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/rival_metrics.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/sam2.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/sama.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/tpavi.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/parity/translation.py": "auralsam2/engine/parity/test_run.py",
    "auralsam2/engine/progress.py": "auralsam2/engine/test_train.py",
    "auralsam2/engine/record_schema.py": "auralsam2/engine/test_run_record.py",
    "auralsam2/engine/splits.py": "auralsam2/engine/test_evaluate.py",
    "auralsam2/losses/precision.py": "auralsam2/losses/test_mask.py",
    "auralsam2/models/audio/ast_encoder.py": "auralsam2/models/audio/test_transformers_ear.py",
    "auralsam2/models/audio/clap_encoder.py": "auralsam2/models/audio/test_transformers_ear.py",
    "auralsam2/models/audio/ears.py": "auralsam2/models/audio/test_vggish.py",
    "auralsam2/models/audio/pe_audio_encoder.py": "auralsam2/models/audio/test_transformers_ear.py",
    "auralsam2/models/audio/speech_encoders.py": "auralsam2/models/audio/test_transformers_ear.py",
    "auralsam2/models/audio/whisper_encoder.py": "auralsam2/models/audio/test_transformers_ear.py",
    "auralsam2/models/backbones/edgetam_backbone.py": (
        "auralsam2/models/backbones/hooked/test_backbone.py"
    ),
    "auralsam2/models/backbones/hooked/network.py": (
        "auralsam2/models/backbones/hooked/test_video.py"
    ),
    "auralsam2/models/backbones/promptable.py": "auralsam2/models/backbones/sam2/test_network.py",
    "auralsam2/models/backbones/sam2/build.py": "auralsam2/models/backbones/sam2/test_network.py",
    "auralsam2/models/backbones/sam2/injection.py": "auralsam2/models/test_injection.py",
    "auralsam2/models/backbones/sam2/memory.py": "auralsam2/models/backbones/sam2/test_network.py",
    "auralsam2/models/backbones/sam2_backbone.py": "auralsam2/models/test_auralsam2.py",
    "auralsam2/models/backbones/sam3_backbone.py": (
        "auralsam2/models/backbones/hooked/test_backbone.py"
    ),
    "auralsam2/models/backbones/sam_backbone.py": (
        "auralsam2/models/backbones/hooked/test_backbone.py"
    ),
    "auralsam2/models/cached_encoder.py": "auralsam2/models/text/test_encoder.py",
    "auralsam2/models/freezing.py": "auralsam2/models/audio/test_vggish.py",
    "auralsam2/models/fusion/token_norm.py": "auralsam2/models/fusion/test_tpavi.py",
    "auralsam2/models/weights/__init__.py": "auralsam2/models/weights/test_loading.py",
    "auralsam2/models/weights/folder.py": "auralsam2/models/text/test_pretrained.py",
    "auralsam2/models/weights/reading.py": "auralsam2/models/weights/test_loading.py",
    "auralsam2/predictor/outputs.py": "auralsam2/predictor/test_image.py",
    "auralsam2/predictor/tracking.py": "auralsam2/predictor/test_image.py",
    "auralsam2/process_end.py": "tools/test_main.py",
    "auralsam2/segment/one_video.py": "auralsam2/segment/test_videos.py",
    "auralsam2/structures.py": "auralsam2/test_registry_contracts.py",
    "auralsam2/text_files.py": "analysis/test_nasty_names.py",
    "tools/__main__.py": "tools/test_main.py",
    "tools/pretrain_audio.py": "tools/test_run_folders.py",
    "tools/pretrain_mini.py": "tools/test_run_folders.py",
}
"""Source module -> the test of something larger that covers it, the latter below tests/."""


def source_modules() -> list[str]:
    """Every module that holds a function or a class."""
    return [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if defined_names(path)
    ]


def defined_names(path: Path) -> set[str]:
    """Functions and classes at the top of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, kinds)}


def mirrored(module: str) -> Path:
    path = Path(module)
    return ROOT / "tests" / path.parent / f"test_{path.name}"


def test_every_module_has_its_test() -> None:
    modules = source_modules()
    assert [m for m in modules if not mirrored(m).exists() and m not in COVERED_BY] == []
    stale = [m for m in COVERED_BY if m not in modules or mirrored(m).exists()]
    assert stale == [], "these have a mirrored test or are gone"


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    names = ("auralsam2", "ablations", "analysis", "auralsam2_tools")
    return grimp.build_graph(*names, cache_dir=None)


@pytest.mark.parametrize("module", sorted(COVERED_BY))
def test_the_named_test_covers_its_module(module: str, imports: grimp.ImportGraph) -> None:
    """It names what the module defines, runs it as a command, or imports what imports it."""
    test = (ROOT / "tests" / COVERED_BY[module]).read_text(encoding="utf-8")
    words = set(re.findall(r"[\w-]+", test))
    if words & {*defined_names(ROOT / module), Path(module).stem.replace("_", "-")}:
        return
    target = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    found = set(re.findall(r"[\w.]+", re.sub(r"from (\S+) import (\w+)", r"\1.\2 \1", test)))
    names = found & imports.modules
    assert target in names or any(imports.chain_exists(name, target) for name in names)
