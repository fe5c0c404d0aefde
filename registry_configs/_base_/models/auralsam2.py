"""AuralSAM2 as published, on SAM 2.0 Hiera large."""

model = dict(
    type="AuralSAM2",
    backbone=dict(
        type="SAM2Backbone",
        size="large",
        version="2.0",
        checkpoint="weights/sam2_hiera_large.pt",
    ),
    audio_encoder=dict(type="VGGish", weights="weights/vggish-10086976.pth"),
    pyramid=dict(type="PatchEmbedPyramid", num_levels=3),
    visual_attention=dict(type="SpatialReductionAttention"),
    visual_depths=(3, 6, 12),
    audio_attention=dict(type="TemporalSelfAttention"),
    audio_depth=3,
    fusion=dict(type="TwoWayTPAVIFusion"),
    sparse_prompt=dict(type="AudioVectorPrompt"),
    dense_prompt=dict(type="AudioFeatureMapPrompt"),
    projector=dict(type="MLPProjector", num_layers=3, out_channels=64),
    injection=dict(
        type="StepwiseInjection",
        tokens=("mask",),
        sites=("block1", "block2", "final"),
        order="coarse_to_fine",
    ),
    tracker=dict(type="MemoryTracker", train_conditioning="middle", test_conditioning="first"),
    mask_loss=dict(type="SAM2MaskLoss"),
    contrastive_loss=dict(type="AudioConLoss"),
)
