"""AL-Ref-SAM2 on its models' answers in files, SAM 2.0 Hiera large; AVSBench V1M.

Names, seconds and boxes come from files, as for ``translated_files_v1m``; ``choices`` are what the
language model chose: for every name of a clip one frame, and one of that frame's three best boxes.
"""

_base_ = ["./translated_files_v1m.py"]

model = dict(
    type="ALRefSAM2",
    choices="weights/choices_v1m.json",
    # The name's on and off is told by the second; False for clips of one source (V1S).
    per_second=True,
    box_threshold=0.25,
    boxes_per_class=3,
)
