"""AVSBench's network (TPAVI) behind the frozen trunk of the embedded sam2-mini."""

_base_ = ["./tpavi_mini_v1m.py"]

model = dict(
    image_encoder=dict(
        _delete_=True,
        type="HieraStages",
        backbone=dict(
            type="SAM2Backbone", size="mini", version="2.1", checkpoint="builtin://sam2-mini"
        ),
    )
)
