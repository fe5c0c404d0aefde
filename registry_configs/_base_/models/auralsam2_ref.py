"""AuralSAM2 for referring expressions: RoBERTa's tokens join the audio's."""

_base_ = ["./auralsam2.py"]

model = dict(
    text_encoder=dict(type="RobertaText", weights="weights/distilroberta-base"),
    tracker=dict(train_conditioning="middle", test_conditioning="middle"),
    contrastive_loss=dict(max_samples=64),
)
