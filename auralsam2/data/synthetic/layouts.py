"""The layouts in which synthetic clips can be written."""

from __future__ import annotations

from auralsam2.data.synthetic.avsbench_layouts import V1MLayout, V1SLayout, V2Layout
from auralsam2.data.synthetic.layout import Layout
from auralsam2.data.synthetic.ref_avs_layout import RefAVSLayout

LAYOUTS: dict[str, Layout] = {
    "v1s": V1SLayout(),
    "v1m": V1MLayout(),
    "v2": V2Layout(),
    "ref_avs": RefAVSLayout(),
}
"""Name -> layout."""
