"""A real cluster of two nodes on this machine, one of which is lost in the middle of a grid."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ablations.executors import base as executors
from ablations.executors.ray_cluster import RayExecutor, RaySettings
from ablations.run_grid import run_grid

from .conftest import steps_of


@pytest.fixture
def cluster(remote_work, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes of one core each; the driver belongs to the first."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'auralsam2[ray]'")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_health_check_period_ms", "500")  # a lost node is noticed in a second
    monkeypatch.setenv("RAY_health_check_failure_threshold", "2")
    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    made = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    made.second = made.add_node(**node)
    try:
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


@pytest.mark.slow
def test_a_grid_survives_the_loss_of_a_node(
    cluster, remote_work, named_grid, plan_of, console
) -> None:
    grid = named_grid("one", "two", "quick", "boom")
    plan = plan_of(grid)
    executor = RayExecutor(RaySettings(address=cluster.address))
    lost: list[str] = []

    def lose_the_second_node() -> None:
        while not lost:
            time.sleep(0.1)
            for run in plan.runs:
                if len(steps_of(run)) >= 3:
                    where = remote_work.starts(run)[-1][0]
                    if where == cluster.second.node_id:
                        lost.append(run.label)
                        cluster.remove_node(cluster.second, allow_graceful=False)
                        return

    thread = threading.Thread(target=lose_the_second_node, daemon=True)
    thread.start()
    result = run_grid(grid, plan, executor, console=console, work=remote_work.work)
    thread.join(10)

    assert lost, "no run ever reached the second node"
    assert {run.label for run in result.finished} == {"one, seed 0", "two, seed 0", "quick, seed 0"}
    assert [run.label for run, _ in result.failed] == ["boom, seed 0"]
    assert "the fuse is burnt" in result.failed[0][1]
    nodes = set()
    for run in result.finished:
        nodes |= {node for node, _ in remote_work.starts(run)}
        assert steps_of(run) == list(range(remote_work.STEPS)), "every step once"
        resumed = run.label in lost
        assert len(remote_work.starts(run)) == 1 + resumed
        assert (remote_work.starts(run)[-1][1] >= 3) == resumed
    assert len(nodes) == 2


def test_no_cluster_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(ConnectionError, match="--ray-address got 'auto'.*ray start --head"):
        RayExecutor(RaySettings())


def test_numbers_that_make_no_sense() -> None:
    parser = argparse.ArgumentParser()
    executors.add_arguments(parser)
    options = parser.parse_args(["--executor", "ray", "--ray-cpus", "0", "--ray-gpus", "0"])
    with pytest.raises(ValueError, match="both 0"):
        executors.from_options(options)
