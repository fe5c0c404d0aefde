"""AL-Ref-SAM2's rule with CLAP's names and Grounding DINO's boxes, asked on the fly; AVSBench V1M.

No language model chooses: every name that CLAP finds likely in some second gets its best box of all
frames. For clips of one source (V1S) set ``rule=argmax``, ``sound_threshold=0``,
``sound_classifier.whole_clip=True`` and ``per_second=False``.
"""

_base_ = ["./sam4avs_models_v1m.py"]

model = dict(
    type="ALRefSAM2",
    rule="threshold",
    detector=dict(box_threshold=0.25),
    per_second=True,
    box_threshold=0.25,
    boxes_per_class=3,
)
