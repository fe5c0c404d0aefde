"""Sound to a class name, the name to a box, the box to SAM 2.0 Hiera large; AVSBench V1M.

Classifier and detector are trained on the fly; translated_files_v1m.py takes pretrained ones.
"""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="TranslatedPromptSAM2",
    backbone=_base_.model.backbone,
    sound_classifier=dict(
        type="EmbeddingSoundClassifier", audio_encoder=_base_.model.audio_encoder, hidden=256
    ),
    detector=dict(type="PyramidDetector", width=128),
    # The names of AVSBench's label2idx.json, less the background.
    num_classes=70,
)

# The names of a clip's sources, without which nothing could be named.
data = dict(train=dict(_delete_=True, type="NamedSources", dataset=_base_.data.train))
