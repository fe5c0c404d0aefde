"""Folders of tiny random models of transformers, as a user would have downloaded real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

TEXT = dict(
    vocab_size=1030, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
    intermediate_size=16,
)  # fmt: skip


def tokenizer(folder: Path) -> Any:
    """With the words guitar and man, and BERT's numbers of its special tokens."""
    from transformers import BertTokenizerFast

    unused = {100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 0: "[PAD]"}
    words = [unused.get(i, f"[unused{i}]") for i in range(1020)] + ["guitar", "man"]
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "vocab.txt").write_text("\n".join(words))
    return BertTokenizerFast(vocab=str(folder / "vocab.txt"))


def grounding_dino(folder: Path) -> Path:
    """Five queries, two layers."""
    from transformers import (
        BertConfig,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
        SwinConfig,
    )

    stages = ["stage2", "stage3", "stage4"]
    swin = SwinConfig(
        image_size=64, embed_dim=8, depths=[1] * 4, num_heads=[1, 1, 2, 2], window_size=4,
        out_features=stages,
    )  # fmt: skip
    config = GroundingDinoConfig(
        backbone_config=swin, text_config=BertConfig(**TEXT), d_model=32, encoder_layers=1,
        decoder_layers=2, encoder_ffn_dim=16, decoder_ffn_dim=16, encoder_attention_heads=2,
        decoder_attention_heads=2, num_queries=5,
    )  # fmt: skip
    torch.manual_seed(0)
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    pictures = GroundingDinoImageProcessor(size={"shortest_edge": 128, "longest_edge": 128})
    GroundingDinoProcessor(pictures, tokenizer(folder)).save_pretrained(folder)
    return folder


def clap(folder: Path) -> Path:
    """Two layers for the sound, one for words."""
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor

    audio = dict(
        spec_size=64, num_mel_bins=16, patch_size=4, patch_stride=[4, 4], window_size=4,
        patch_embeds_hidden_size=8, depths=[1, 1], num_attention_heads=[1, 1], hidden_size=16,
        projection_dim=8,
    )  # fmt: skip
    text = dict(TEXT, projection_dim=8, pad_token_id=0, bos_token_id=101, eos_token_id=102)
    torch.manual_seed(0)
    ClapModel(ClapConfig(audio_config=audio, text_config=text, projection_dim=8)).save_pretrained(
        folder
    )
    ears = ClapFeatureExtractor(feature_size=16, max_length_s=2, truncation="rand_trunc")
    ClapProcessor(ears, tokenizer(folder)).save_pretrained(folder)
    return folder


def ast(folder: Path) -> Path:
    """Labels man, cat and guitar."""
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    names = {0: "man", 1: "cat", 2: "guitar"}
    config = ASTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        num_mel_bins=16, max_length=64, patch_size=8, frequency_stride=8, time_stride=8,
        id2label=names, label2id={name: number for number, name in names.items()},
    )  # fmt: skip
    torch.manual_seed(0)
    ASTForAudioClassification(config).save_pretrained(folder)
    ASTFeatureExtractor(num_mel_bins=16, max_length=64).save_pretrained(folder)
    return folder
