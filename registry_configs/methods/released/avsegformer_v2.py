"""AVSegFormer as released, AVSBench V2: of frames without an object the mixer learns nothing."""

_base_ = ["../avsegformer_v2.py"]

model = dict(mixer_loss=dict(ignore_empty=True))

# Log-mels of windows of 0.96 s, one behind the other; those that are missing are zeros.
_read = dict(audio_rule="zero_padded")

data = dict(train=_read, val=_read, test=dict(test=_read, test_audio_swapped=dict(dataset=_read)))

# Padding counts as background that was found.
_scored = dict(size=224, padded_to=10)

evaluation = dict(
    metrics=[dict(type="MeanIoUMetric", **_scored), dict(type="ClassFScoreMetric", **_scored)]
)
