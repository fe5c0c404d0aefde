"""Sound to a class name, the name to a box, the box to SAM2; on the embedded sam2-mini."""

_base_ = ["../auralsam2/mini_v1m.py"]

_classes = (
    *("red-striped-disc", "blue-dotted-disc", "green-checked-square", "orange-plain-square"),
    *("violet-striped-triangle", "red-mottled-triangle", "yellow-dotted-star", "pink-plain-star"),
    *("cyan-ringed-hexagon", "lime-mottled-ring", "magenta-ringed-cross", "azure-checked-crescent"),
)

model = dict(
    _delete_=True,
    type="TranslatedPromptSAM2",
    backbone=_base_.model.backbone,
    sound_classifier=dict(
        type="EmbeddingSoundClassifier", audio_encoder=_base_.model.audio_encoder
    ),
    detector=dict(type="PyramidDetector"),
    num_classes=len(_classes),
    feature_cache_mb=_base_.model.feature_cache_mb,
)

# The names of a clip's sources, without which nothing could be named.
data = dict(
    train=dict(_delete_=True, type="NamedSources", classes=_classes, dataset=_base_.data.train)
)
