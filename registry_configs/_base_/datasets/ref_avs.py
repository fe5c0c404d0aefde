"""Ref-AVS: seen, unseen and null test splits; ``data.root`` holds ``metadata.csv``."""

data = dict(
    root="data/REFAVS",
    image_size=1024,
    batch_size=1,
    num_workers=4,
    train=dict(
        type="RefAVSDataset",
        split="train",
        transforms=[
            dict(type="RandomClipFlip"),
            dict(type="RandomClipAffine"),
            dict(type="ClipColourJitter"),
            dict(type="RandomClipGrey"),
            dict(type="ClipColourJitter", contrast=0.05, saturation=0.05, per_frame=True),
        ],
    ),
    val=dict(type="RefAVSDataset", split="val"),
    test=dict(
        test_s=dict(type="RefAVSDataset", split="test_s"),
        test_u=dict(type="RefAVSDataset", split="test_u"),
        test_n=dict(type="RefAVSDataset", split="test_n"),
    ),
)
