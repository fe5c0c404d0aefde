"""AuralSAM2 for referring expressions as the authors released it, defects included."""

_base_ = ["./auralsam2_released.py"]

model = dict(
    text_encoder=dict(type="RobertaText", weights="weights/distilroberta-base"),
    # Reads the fusion's update and normalises the wrong axis.
    projector=dict(_delete_=True, type="ReleasedRefProjector"),
    tracker=dict(train_conditioning="middle", test_conditioning="middle"),
    contrastive_loss=dict(max_samples=64),
)
