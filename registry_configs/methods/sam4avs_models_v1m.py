"""SAM4AVS with box prompts, CLAP and Grounding DINO asked on the fly; AVSBench V1M.

Nothing is trained and no file of answers is needed; controls with another sound can be asked too.
The names are AVSBench's 70, where SAM4AVS has the 527 of AudioSet.
"""

_base_ = ["./translated_files_v1m.py"]

_classes = "data/AVSBench/label2idx.json"
_train, _val, _test = (
    dict(type="WithWaveform", dataset=dict(type="AVSBenchDataset", subset="v1m", split=split))
    for split in ("train", "val", "test")
)

model = dict(
    sound_classifier=dict(
        _delete_=True, type="CLAPTagger", weights="weights/clap-htsat-unfused", classes=_classes
    ),
    detector=dict(
        _delete_=True,
        type="GroundingDINODetector",
        weights="weights/grounding-dino-base",
        classes=_classes,
        box_threshold=0.3,
    ),
    rule="top_k",
    top_k=2,
    box_threshold=0.3,
    boxes_per_class=None,
)

data = dict(
    train=dict(_delete_=True, **_train),
    val=dict(_delete_=True, **_val),
    test=dict(
        _delete_=True, test=_test, test_audio_swapped=dict(type="AudioSwapped", dataset=_test)
    ),
)
