"""A sweep in words, before it starts."""

from __future__ import annotations

from collections.abc import Iterator

from ablations.sweeps.storage import StorageAddress
from ablations.sweeps.sweep_file import Sweep


def summary_lines(sweep: Sweep, address: StorageAddress) -> Iterator[str]:
    """Yield a line a parameter, then what is sought, how, and where."""
    for name, stated in sweep.space.describe().items():
        if "choices" in stated:
            values = " | ".join(map(str, stated["choices"]))
        else:
            steps = f", step {stated['step']}" if stated["step"] else ""
            values = f"{stated['low']} to {stated['high']}{', log' * stated['log']}{steps}"
        where = "; ".join(
            f"{key} is {' or '.join(map(str, v))}" for key, v in stated["when"].items()
        )
        base = (sweep.base_values or {}).get(name)
        yield f"{name}: {values}" + f"; where {where}" * bool(where) + f"; base {base}"
    wanted = ", ".join(f"{o.direction} {o.metric}" for o in sweep.objectives)
    yield f"{wanted}; sampler {sweep.sampler.KIND}, pruner {sweep.pruner.KIND}"
    yield f"study {sweep.name!r} in {address.shown}; runs in {sweep.out}"
