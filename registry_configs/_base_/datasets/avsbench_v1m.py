"""AVSBench V1M (multi-source); ``data.root`` is the folder that holds ``avss_index/``."""

_v1m = dict(type="AVSBenchDataset", subset="v1m")

data = dict(
    root="data/AVSBench",
    image_size=1024,
    batch_size=1,
    num_workers=4,
    train=dict(
        **_v1m,
        split="train",
        transforms=[
            dict(type="RandomClipFlip"),
            dict(type="RandomClipAffine"),
            dict(type="ClipColourJitter"),
            dict(type="RandomClipGrey"),
            dict(type="ClipColourJitter", contrast=0.05, saturation=0.05, per_frame=True),
        ],
    ),
    val=dict(**_v1m, split="val"),
    test=dict(
        test=dict(**_v1m, split="test"),
        test_audio_swapped=dict(type="AudioSwapped", dataset=dict(**_v1m, split="test")),
    ),
)
