"""Seed, evaluation, and where and how a run happens."""

seed = 0

evaluation = dict(
    metrics=[dict(type="JaccardMetric"), dict(type="FScoreMetric")],
    select_by="J",
    decode="iou_select",
    every=1,
    num_saved_clips=3,
)

runtime = dict(
    device="auto",
    checkpoint_every=1,
    log_every=10,
    tensorboard=True,
    num_threads=None,
    work_dir="work_dirs",
)
