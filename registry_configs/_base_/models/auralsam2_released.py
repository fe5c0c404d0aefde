"""AuralSAM2 as the authors released it, defects included: what their checkpoints need.

Every entry below is one difference from the published preset; docs/differences.md explains them.
"""

_base_ = ["./auralsam2.py"]

model = dict(
    type="ReleasedAuralSAM2",
    # Rows of the token map that do not fill a window of the key reduction are left out (224 px).
    visual_attention=dict(drop_remainder=True),
    # The parameters that nothing uses stand in the checkpoints.
    audio_attention=dict(_delete_=True, type="ReleasedTemporalAttention"),
    # Scrambled axes, divided by the number of queries, normalisations from zero.
    fusion=dict(_delete_=True, type="ReleasedTPAVIFusion"),
    projector=dict(_delete_=True, type="ReleasedConvProjector"),
    injection=dict(type="ReleasedInjection", leak_into_position=True),
    mask_loss=dict(reduction="sum_over_frames"),
    contrastive_loss=dict(_delete_=True, type="ReleasedAudioConLoss"),
    constant_audio_position=True,
    join_clips=True,
)
