"""AuralSAM2 on the embedded sam2-mini: runs on a CPU, without any downloaded weights."""

_base_ = ["./auralsam2.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="SAM2Backbone",
        size="mini",
        version="2.1",
        checkpoint="builtin://sam2-mini",
    ),
    # Frozen, as VGGish is at real size.
    audio_encoder=dict(
        _delete_=True, type="LogMelCNN", width=16, weights="builtin://log-mel-cnn", frozen=True
    ),
    # At 128 px the grid is 8 x 8: a spatial reduction of 4 would leave four keys.
    visual_attention=dict(reduction=2, mlp_ratio=2, dropout=0.0),
    visual_depths=(1, 1, 1),
    audio_attention=dict(mlp_ratio=2, dropout=0.0),
    audio_depth=1,
    # Sounds change within the synthetic clips, see TwoWayTPAVIFusion.
    fusion=dict(scope="frame"),
    # Half the side is enough to supervise masks of 32 x 32 logits.
    mask_loss=dict(loss_size=64),
    # At weight 1 its gradient is ten times that of the masks in a CPU run's few hundred steps.
    contrastive_loss=dict(weight=0.1),
    # The backbone is frozen and frames are not augmented: each clip is encoded once.
    feature_cache_mb=2048,
)
