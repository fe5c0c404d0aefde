from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from auralsam2_tools import __main__ as dispatcher

from auralsam2 import __version__

HEAVY = ("torch", "numpy", "mmengine", "rich", "pandas", "matplotlib", "cv2", "sam2")


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Make `auralsam2 try-me` run a function of the test."""

    def install(body) -> None:
        (tmp_path / "try_me.py").write_text('"""Try me.\n\nMore."""\n')
        monkeypatch.setattr(dispatcher, "find_tools", lambda: {"try-me": tmp_path / "try_me.py"})
        monkeypatch.setattr(dispatcher, "_run", lambda path, arguments: body(arguments))

    monkeypatch.setattr(sys, "argv", ["auralsam2"])
    return install


def test_help_lists_every_tool_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        dispatcher.main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for name, path in dispatcher.find_tools().items():
        assert f"  {name} " in shown
        assert dispatcher.summary(path).endswith("."), f"{path.name} opens with no sentence"
        assert dispatcher.summary(path) in shown


def test_no_arguments_print_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatcher.main([]) == 0
    assert "list-components" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from auralsam2_tools.__main__ import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(dispatcher.find_tools()))
def test_every_tool_is_a_thin_file_with_main_argv(name: str) -> None:
    path = dispatcher.find_tools()[name]
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 100
    assert "def main(argv: " in source
    assert re.search(r'\nif __name__ == "__main__":\n    (cli\.)?run_file\(__file__\)\n$', source)


def test_a_tool_that_is_run_as_a_file_is_its_subcommand() -> None:
    file = dispatcher.find_tools()["make-tables"]
    done = subprocess.run([sys.executable, str(file), "no/\x01"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("auralsam2 make-tables: error: "), done.stderr
    assert "Traceback" not in done.stderr


def test_every_tool_explains_itself_without_heavy_imports() -> None:
    program = (
        "import sys\n"
        "from auralsam2_tools.__main__ import find_tools, main\n"
        "for name in find_tools():\n"
        "    try:\n        main([name, '--help'])\n"
        "    except SystemExit as stop:\n        assert stop.code == 0, name\n"
        f"    heavy = set({HEAVY!r}) & set(sys.modules)\n"
        "    assert not heavy, (name, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in dispatcher.find_tools():
        assert f"usage: auralsam2 {name} " in done.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        dispatcher.main(["--version"])
    assert capsys.readouterr().out == f"auralsam2 {__version__}\n"


def test_unknown_subcommand_gets_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        dispatcher.main(["list-component"])
    assert caught.value.code == 2
    assert "did you mean 'list-components'?" in capsys.readouterr().err


def test_arguments_and_status_are_the_tools_own(tool) -> None:
    seen = []
    tool(lambda arguments: seen.append((list(arguments), sys.argv[0])) or 3)
    assert dispatcher.main(["try-me", "--help", "x", "--traceback"]) == 3
    assert seen == [(["--help", "x", "--traceback"], "auralsam2 try-me")]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("data.root: got 3"), "data.root: got 3"),
        (FileNotFoundError(2, "No such file", "x.pt"), "[Errno 2] No such file: 'x.pt'"),
        (KeyError("unknown fusion 'A'; known: B"), "unknown fusion 'A'; known: B"),
        (ImportError("sam2 is missing: pip install sam2"), "sam2 is missing: pip install sam2"),
    ],
)
def test_a_users_error_is_one_clean_message(tool, capsys, monkeypatch, error, message) -> None:
    def fail(arguments):
        raise error

    tool(fail)
    monkeypatch.delenv(dispatcher.TRACEBACK_VARIABLE, raising=False)
    assert dispatcher.main(["try-me"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"auralsam2 try-me: error: {message}\n")
    assert "Traceback" not in shown
    with pytest.raises(type(error)):
        dispatcher.main(["--traceback", "try-me"])
    monkeypatch.setenv(dispatcher.TRACEBACK_VARIABLE, "1")
    with pytest.raises(type(error)):
        dispatcher.main(["try-me"])


@pytest.mark.parametrize("error", [KeyError("masks"), RuntimeError("boom"), ValueError()])
def test_our_own_bugs_keep_their_traceback(tool, monkeypatch, error) -> None:
    def fail(arguments):
        raise error

    tool(fail)
    monkeypatch.delenv(dispatcher.TRACEBACK_VARIABLE, raising=False)
    with pytest.raises(type(error)):
        dispatcher.main(["try-me"])


def test_interrupt(tool, capsys) -> None:
    def interrupt(arguments):
        raise KeyboardInterrupt

    tool(interrupt)
    assert dispatcher.main(["try-me"]) == 130
    assert capsys.readouterr().err == "auralsam2 try-me: interrupted\n"


COMMAND = """
import atexit, concurrent.futures, multiprocessing, sys, threading, time
from auralsam2 import process_end
from auralsam2_tools import __main__ as dispatcher

def sleep():
    time.sleep(600)

def tool(arguments):
    print("the tool's work", flush=False)
    atexit.register(print, "registered for the end")
    {leave}
    {end}

if __name__ == "__main__":
    process_end.GRACE_S = 0.3
    dispatcher._run = lambda path, arguments: tool(arguments)
    sys.argv = ["auralsam2", "report"]
    raise SystemExit(dispatcher.main())
"""
THREAD = "threading.Thread(target=sleep, name='uploader').start()"
CHILD = "multiprocessing.get_context('fork').Process(target=sleep, name='helper').start()"
IDLE_POOL = "concurrent.futures.ThreadPoolExecutor(1).submit(int).result()"


@pytest.mark.parametrize(
    ("leave", "end", "status", "said"),
    [
        (THREAD, "return 0", 0, "ended without waiting for thread 'uploader'"),
        (THREAD, "return 3", 3, "thread 'uploader'"),
        (THREAD, "raise ValueError('not so')", 2, "error: not so"),
        (THREAD, "raise SystemExit('not so')", 1, "thread 'uploader'"),
        (THREAD, "raise RuntimeError('a bug')", 1, "RuntimeError: a bug"),
        (CHILD, "return 0", 0, "process 'helper'"),
        (IDLE_POOL, "return 0", 0, ""),
        ("pass", "return 4", 4, ""),
    ],
)
def test_a_command_ends_when_its_work_is_done_whatever_is_left_running(
    leave: str, end: str, status: int, said: str, tmp_path: Path
) -> None:
    program = tmp_path / "command.py"
    program.write_text(COMMAND.format(leave=leave, end=end))
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status
    assert done.stdout == "the tool's work\nregistered for the end\n"
    assert said in done.stderr if said else done.stderr == ""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_terminal_gets_what_its_encoding_has_not_as_escapes(encoding: str) -> None:
    program = (
        "from auralsam2_tools import __main__ as dispatcher\n"
        r"dispatcher._run = lambda *_: print('error \udcff of 日本 – done') or 0" + "\n"
        "dispatcher.main(['report'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode(encoding).startswith(r"error \udcff of ")


@pytest.mark.parametrize(("run_id", "torn_down"), [(None, True), ("run", False)])
def test_processes_of_torchrun_are_not_torn_down(run_id: str | None, torn_down: bool) -> None:
    """Threads of a process group may outlive it, and abort what is torn down around them."""
    program = (
        "import atexit, sys\n"
        "class Late:\n"
        "    def __del__(self, write=sys.stderr.write): write('torn down')\n"
        "late = Late()\n"
        "atexit.register(lambda: sys.stderr.write('at exit, '))\n"
        "from auralsam2_tools.__main__ import main\n"
        "sys.argv = ['auralsam2', 'check-config', 'nothing/such']\n"
        "sys.exit(main())\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != dispatcher.OF_TORCHRUN}
    if run_id is not None:
        environment[dispatcher.OF_TORCHRUN] = run_id
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 2 and "unknown config 'nothing/such'" in done.stderr
    assert "at exit, " in done.stderr and ("torn down" in done.stderr) == torn_down
