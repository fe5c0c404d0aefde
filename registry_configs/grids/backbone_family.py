"""Does it carry over to other promptable backbones? SAM 2.1, EdgeTAM, SAM 3's tracker and SAM.

Each with the published fusion and with cross-attention, so that what holds for one backbone is seen
to hold for another or not. SAM sees single images and has one map: its cells are to be read against
SAM 2.1 with no more than that. The small form has the same architectures with random weights, which
shows that all of it runs and says nothing about them; the trained sam2-mini stands beside.
"""

base = "auralsam2/published/v1m"
title = "Other promptable backbones"

_backbone, _fusion = "model.backbone", "model.fusion"
_sam2 = dict(type="SAM2Backbone", size="large", version="2.1")
_sam2["checkpoint"] = "weights/sam2.1_hiera_large.pt"
_edgetam = dict(type="EdgeTAMBackbone", checkpoint="weights/EdgeTAM-hf")
_sam3 = dict(type="SAM3Backbone", checkpoint="weights/sam3")
_sam = dict(type="SAMBackbone", checkpoint="weights/sam-vit-base")
_one_image = {"model.tracker.use_memory": False, "model.pyramid.num_levels": 1}
_random = dict(size="mini", random_weights=True)
_sam2_random = dict(type="SAM2Backbone", version="2.1", **_random)

axes = dict(
    backbone=[
        dict(name="SAM 2.1", set={_backbone: _sam2}),
        dict(name="EdgeTAM", set={_backbone: _edgetam}),
        dict(name="SAM 3", set={_backbone: _sam3, "data.image_size": 1008}),
        dict(name="SAM", set={_backbone: _sam, **_one_image}),
        dict(name="SAM 2.1, one map of one image", set={_backbone: _sam2, **_one_image}),
    ],
    fusion=[
        dict(name="TPAVI", set={}),
        dict(name="cross-attention", set={_fusion: dict(type="CrossAttentionFusion")}),
    ],
)
seeds = [0, 1, 2]
reference = "SAM 2.1, TPAVI"

bases = {
    "auralsam2/mini_v1m": dict(
        axes=dict(
            backbone=[
                dict(name="sam2-mini, trained", set={}),
                dict(name="SAM 2.1", set={_backbone: _sam2_random}),
                dict(name="EdgeTAM", set={_backbone: dict(type="EdgeTAMBackbone", **_random)}),
                dict(
                    name="SAM 3",
                    set={
                        _backbone: dict(type="SAM3Backbone", **_random),
                        "data.image_size": 112,
                    },
                ),
                dict(
                    name="SAM", set={_backbone: dict(type="SAMBackbone", **_random), **_one_image}
                ),
            ],
            fusion=[
                dict(name="TPAVI", set={}),
                dict(
                    name="cross-attention",
                    set={_fusion: dict(type="CrossAttentionFusion", scope="frame")},
                ),
            ],
        ),
        seeds=[0, 1],
        reference="sam2-mini, trained, TPAVI",
    )
}
