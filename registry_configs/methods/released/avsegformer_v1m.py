"""AVSegFormer as released, AVSBench V1M: frames whose truth is empty teach nothing."""

_base_ = ["../avsegformer_v1m.py"]

model = dict(mask_loss=dict(ignore_empty=True), mixer_loss=dict(ignore_empty=True))

# Log-mels of windows of 0.96 s, one behind the other; the last one is repeated.
_read = dict(audio_rule="released")

data = dict(train=_read, val=_read, test=dict(test=_read, test_audio_swapped=dict(dataset=_read)))
