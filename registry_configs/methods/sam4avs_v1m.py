"""SAM4AVS with box prompts, on its models' answers in files, SAM 2.0 Hiera large; AVSBench V1M.

Two names a second, as for several sources (one for V1S), and all of their boxes.
"""

_base_ = ["./translated_files_v1m.py"]

model = dict(rule="top_k", top_k=2, box_threshold=0.3, boxes_per_class=None)
