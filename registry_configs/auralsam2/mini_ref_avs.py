"""AuralSAM2 on the embedded sam2-mini, any data in the Ref-AVS layout; needs the extra [text].

Seen, unseen and null test splits in one go; a table of its runs adds the mix of seen and unseen.
"""

_base_ = ["../_base_/mini.py", "../_base_/datasets/ref_avs.py"]

model = dict(
    # Stands where the published model has RoBERTa: its weights come with a package.
    text_encoder=dict(type="MiniLMText"),
    tracker=dict(train_conditioning="middle", test_conditioning="middle"),
    contrastive_loss=dict(max_samples=64),
)
# As many frames a step as four clips of V1M.
data = dict(**_base_._small, root="work_dirs/synthetic/ref_avs", batch_size=2)
evaluation = dict(
    metrics=[dict(type="JaccardMetric"), dict(type="FScoreMetric"), dict(type="NullMetric")]
)
