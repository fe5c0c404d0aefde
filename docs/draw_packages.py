"""Draws which package imports which, from the imports themselves: docs/images/packages.svg.

python docs/draw_packages.py

The picture keeps the list of its arrows, so that a test can tell whether it is out of date.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PICTURE = Path(__file__).parent / "images" / "packages.svg"
SOURCES = Path(__file__).parents[1] / "auralsam2"
ROOTS = ("auralsam2_tools", "ablations", "analysis", "auralsam2")
COLOURS = {"ablations": "#dcebf7", "analysis": "#e3f2e1", "auralsam2": "#fbeede"}
MIDDLES = {"ablations": -1.7, "analysis": 1.7}
Arrows = Mapping[str, frozenset[str]]


def package_of(module: str) -> str:
    """The box of a module: its package; of `ablations` and `analysis` also a loose module."""
    root, *rest = module.split(".")
    if root == "auralsam2_tools":
        return "tools"
    if root == "auralsam2" and len(rest) < 2 and not (SOURCES / "".join(rest)).is_dir():
        return "auralsam2/*.py"
    return "/".join([root, *rest[:1]])


def arrows() -> Arrows:
    """Of each box those which it imports, without those that another of its arrows implies."""
    graph = grimp.build_graph(*ROOTS, exclude_type_checking_imports=True, cache_dir=None)
    imported = defaultdict(set)
    for module in sorted(graph.modules - set(ROOTS)):
        targets = graph.find_modules_directly_imported_by(module) - set(ROOTS)
        imported[package_of(module)] |= {package_of(target) for target in targets}
    direct = {box: targets - {box} for box, targets in imported.items()}
    reached: dict[str, set[str]] = {}
    for box in TopologicalSorter(direct).static_order():  # raises CycleError for a circle
        targets = direct.get(box, set())
        reached[box] = targets.union(*(reached[target] for target in targets))
    return {
        box: frozenset(
            target
            for target in direct.get(box, set())
            if not any(target in reached[other] for other in direct[box] - {target})
        )
        for box in reached
    }


def floors(found: Arrows) -> dict[str, int]:
    """The height of each box: one above the highest of those which it imports."""
    heights: dict[str, int] = {}
    for box in TopologicalSorter(found).static_order():
        heights[box] = 1 + max((heights[target] for target in found[box]), default=-1)
    return heights


def places(found: Arrows) -> dict[str, tuple[float, float]]:
    """Where each box stands: floors upwards, the tower of each package about its own middle."""
    rows: dict[tuple[int, str], list[str]] = defaultdict(list)
    for box, floor in floors(found).items():
        rows[floor, box.split("/")[0]].append(box)
    return {
        box: (MIDDLES.get(package, 0.0) + column - (len(row) - 1) / 2, float(floor))
        for (floor, package), row in rows.items()
        for column, box in enumerate(sorted(row))
    }


def draw(found: Arrows, axes: Axes) -> None:
    """One box a package, one arrow an import."""
    where = places(found)
    boxes = {}
    for box, (x, y) in where.items():
        colour = COLOURS.get(box.split("/")[0], "#eeeeee")
        style = dict(boxstyle="round,pad=0.4", facecolor=colour, edgecolor="#666666", linewidth=0.6)
        name = box.replace("/", "/\n", 1)
        text = axes.text(x, y, name, ha="center", va="center", fontsize=7, bbox=style, zorder=2)
        boxes[box] = text.get_bbox_patch()
    for box, targets in found.items():
        for target in sorted(targets):
            ends = dict(patchA=boxes[box], patchB=boxes[target], shrinkA=1, shrinkB=1)
            style = dict(arrowstyle="-|>", color="#777777", linewidth=0.6, **ends)
            axes.annotate("", where[target], where[box], arrowprops=style, zorder=1)
    xs, ys = zip(*where.values(), strict=True)
    axes.set(xlim=(min(xs) - 0.6, max(xs) + 0.6), ylim=(min(ys) - 0.5, max(ys) + 0.5))
    axes.axis("off")


def listed(found: Arrows) -> str:
    """The arrows as one text."""
    return "; ".join(f"{box} > {', '.join(sorted(found[box]))}" for box in sorted(found))


def drawn() -> str:
    """The arrows of the picture that is there."""
    text = PICTURE.read_text(encoding="utf-8")
    match = re.search(r"<dc:description>(.*?)</dc:description>", text, re.DOTALL)
    return match[1].replace("&gt;", ">") if match else ""


def main() -> None:
    """Draw."""
    found = arrows()
    figure = Figure(figsize=(8, 9), layout="constrained")
    draw(found, figure.add_subplot())
    with rc_context({"svg.fonttype": "none"}):  # letters and not their outlines
        figure.savefig(PICTURE, metadata={"Date": None, "Description": listed(found)})


if __name__ == "__main__":
    main()
