"""AuralSAM2 as the authors released it, defects included, on SAM 2.0 Hiera large, Ref-AVS."""

_base_ = ["../../_base_/released.py", "../../_base_/datasets/ref_avs.py"]

_test = _base_._test

model = dict(
    text_encoder=dict(type="RobertaText", weights="weights/distilroberta-base"),
    # Reads the fusion's update and normalises the wrong axis.
    projector=dict(_delete_=True, type="ReleasedRefProjector"),
    tracker=dict(train_conditioning="middle", test_conditioning="middle"),
    contrastive_loss=dict(max_samples=64),
)
data = dict(train=_base_._train, val=_test, test=dict(test_s=_test, test_u=_test, test_n=_test))
optim = dict(epochs=50)
# Batches of four clips have one score, and S is the share of all pixels, without a root.
evaluation = dict(
    metrics=[
        dict(type="JaccardMetric", size=1024, group_size=4),
        dict(type="FScoreMetric", size=1024, group_size=4),
        dict(type="NullMetric", size=1024, reduction="cumulative_ratio"),
    ]
)
