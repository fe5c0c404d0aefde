from __future__ import annotations

import argparse

import pytest

from ablations.options import Options, add_grid_arguments, add_sweep_arguments, chosen
from auralsam2.command_line import Parser


def test_what_a_grid_is_run_with() -> None:
    parser = Parser(None)
    add_grid_arguments(parser)
    assert chosen(parser.parse_args(["fusion"])) == Options(only=[])
    stated = ["--retry-failed", "--only", "seed=0", "--oom-retries", "2"]
    options = chosen(
        parser.parse_args(["fusion", *stated, "--prune-checkpoints", "--stale-after", "60"])
    )
    assert options == Options(
        retry_failed=True, deletes_checkpoints=True, only=["seed=0"], oom_retries=2, stale_s=60.0
    )


def test_what_a_sweep_is_run_with() -> None:
    parser = argparse.ArgumentParser()
    add_sweep_arguments(parser)
    assert chosen(parser.parse_args(["fuser_mini", "--trials", "3"])) == Options()
    stated = ["--max-failures", "2", "--prune-checkpoints"]
    options = parser.parse_args(["fuser_mini", "--trials", "3", *stated])
    assert chosen(options) == Options(deletes_checkpoints=True, max_failures=2)
    with pytest.raises(SystemExit):
        parser.parse_args(["fuser_mini", "--trials", "3", "--oom-retries", "1"])
