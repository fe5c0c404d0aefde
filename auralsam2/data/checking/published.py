"""How many clips and expressions the papers of the data sets give."""

from __future__ import annotations

from collections.abc import Mapping

from auralsam2.data.problems import Finding

# AVSBench, arXiv 2207.05042 (V1S, V1M), and AVSBench-semantic, arXiv 2301.13190: the latter counts
# 8498, 1304 and 1554 clips of all three subsets, so that V2 has what V1S and V1M leave.
_V1S = {"train": 3452, "val": 740, "test": 740}
_V1M = {"train": 296, "val": 64, "test": 64}
_V2 = {"train": 4750, "val": 500, "test": 750}

COUNTS: dict[str, int] = {
    **{f"v1s/{split}": count for split, count in _V1S.items()},
    **{f"v1m/{split}": count for split, count in _V1M.items()},
    **{f"v2/{split}": count for split, count in _V2.items()},
    **{f"object/v1s/{split}": count for split, count in _V1S.items()},
    **{f"object/v1m/{split}": count for split, count in _V1M.items()},
    # Ref-AVS, arXiv 2407.10957, which gives one number for its three test splits.
    "ref_avs/train": 14_117,
    "ref_avs/test_s+test_u+test_n": 4770,
}
"""Split -> clips, of Ref-AVS expressions."""


def compare(counts: Mapping[str, int], unit: str) -> tuple[list[dict[str, object]], list[Finding]]:
    """Counts found beside counts published, for the data sets of which any split was found.

    Returns:
        ``split``, ``found`` and ``published`` of each split, and a note for each that differs.
    """
    families = {split.rpartition("/")[0] for split in counts}
    lines: list[dict[str, object]] = []
    notes = []
    for split, published in COUNTS.items():
        family, _, parts = split.rpartition("/")
        if family not in families:
            continue
        found = sum(counts.get(f"{family}/{part}", 0) for part in parts.split("+"))
        lines.append({"split": split, "found": found, "published": published})
        if found != published:
            detail = f"{unit}: {found}, in the paper {published}"
            notes.append(Finding("counts_differ", split, detail))
    return lines, notes
