"""AuralSAM2 as published on SAM 2.0 Hiera large, Ref-AVS: RoBERTa's tokens join the audio's."""

_base_ = ["../../_base_/published.py", "../../_base_/datasets/ref_avs.py"]

model = dict(
    text_encoder=dict(type="RobertaText", weights="weights/distilroberta-base"),
    tracker=dict(train_conditioning="middle", test_conditioning="middle"),
    contrastive_loss=dict(max_samples=64),
)
optim = dict(epochs=50)
evaluation = dict(
    metrics=[dict(type="JaccardMetric"), dict(type="FScoreMetric"), dict(type="NullMetric")]
)
