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
    audio_encoder=dict(_delete_=True, type="LogMelCNN"),
    visual_attention=dict(reduction=2),
    visual_depths=(1, 1, 1),
    audio_depth=1,
    # A quarter of the side is enough to rank and supervise masks of 32 x 32 logits.
    mask_loss=dict(loss_size=64),
)
