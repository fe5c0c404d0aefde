"""AVSBench's network (TPAVI) behind SAM 2.0 Hiera large, frozen, AVSBench V1M.

For comparisons with methods around SAM2 through the same eyes; `model.image_encoder.backbone.frozen`
False trains the trunk, too.
"""

_base_ = ["./tpavi_v1m.py"]

model = dict(
    image_encoder=dict(
        _delete_=True,
        type="HieraStages",
        backbone=dict(
            type="SAM2Backbone",
            size="large",
            version="2.0",
            checkpoint="weights/sam2_hiera_large.pt",
        ),
    )
)
