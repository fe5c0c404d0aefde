"""AVSegFormer on the stages of the frozen SAM2 that AuralSAM2 looks through, AVSBench V1M."""

_base_ = ["./avsegformer_v1m.py"]

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
    ),
)

runtime = dict(hooks=[])
