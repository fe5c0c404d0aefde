"""PVT v2 of transformers under the names of its authors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from auralsam2.models.image.pvt_v2 import PVTv2Stages, in_names_of_transformers

pytest.importorskip("transformers")

SMALL = dict(widths=(8, 16, 40, 64), depths=(1, 2, 1, 1))


def authors_state(network: nn.Module) -> dict[str, Tensor]:
    """What the authors would have saved, name by name."""
    places = {
        "attention.query": "attn.q",
        "attention.proj": "attn.proj",
        "attention.spatial_reduction": "attn.sr",
        "attention.layer_norm": "attn.norm",
        "layer_norm_1": "norm1",
        "layer_norm_2": "norm2",
        "mlp.dense1": "mlp.fc1",
        "mlp.dense2": "mlp.fc2",
        "mlp.dwconv.dwconv": "mlp.dwconv.dwconv",
    }
    own, state = network.state_dict(), {}
    for key, value in own.items():
        _, _, stage, *path, tensor = key.split(".")
        place, number = ".".join(path), int(stage) + 1
        if path[0] == "patch_embedding":
            kind = {"proj": "proj", "layer_norm": "norm"}[path[1]]
            state[f"patch_embed{number}.{kind}.{tensor}"] = value
        elif place == "layer_norm":
            state[f"norm{number}.{tensor}"] = value
        elif (inside := ".".join(path[2:])) in places:
            state[f"block{number}.{path[1]}.{places[inside]}.{tensor}"] = value
        elif inside == "attention.key":
            both = torch.cat([value, own[key.replace(".key.", ".value.")]])
            state[f"block{number}.{path[1]}.attn.kv.{tensor}"] = both
    return state | {"head.weight": torch.zeros(3, 64), "head.bias": torch.zeros(3)}


@pytest.mark.parametrize("wrapper", ["", "module.", "model.encoder_backbone."])
def test_every_name_of_the_authors_has_its_place(wrapper: str) -> None:
    network = PVTv2Stages(**SMALL).network
    wrapped = {f"{wrapper}{k}": v for k, v in authors_state(network).items() if "head" not in k}
    renamed, own = in_names_of_transformers(wrapped), network.state_dict()
    assert set(renamed) == {f"{wrapper}{key}" for key in own}
    assert all(torch.equal(renamed[f"{wrapper}{key}"], value) for key, value in own.items())
    assert in_names_of_transformers(renamed).keys() == renamed.keys()


def test_a_file_of_the_authors_is_read_and_what_does_not_fit_is_named(tmp_path: Path) -> None:
    network, path = PVTv2Stages(**SMALL), tmp_path / "pvt.pth"
    state = authors_state(network.network)
    torch.save(state, path)
    read, x = PVTv2Stages(**SMALL, weights=path).eval(), torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for ours, theirs in zip(read(x), network.eval()(x), strict=True):
            assert torch.equal(ours, theirs)
    del state["block2.1.norm1.weight"]
    torch.save(state | {"block9.norm.weight": torch.zeros(1)}, path)
    lacking = "encoder.layers.1.blocks.1.layer_norm_1.weight"
    with pytest.raises(ValueError, match=rf"1 missing \({lacking}\); 1 unexpected \(block9.norm"):
        PVTv2Stages(**SMALL, weights=path)


def test_shapes_and_the_epsilons_of_its_norms() -> None:
    network = PVTv2Stages(**SMALL)
    maps = network(torch.randn(2, 3, 64, 64))
    assert [tuple(m.shape) for m in maps] == [
        (2, c, side, side) for c, side in zip((8, 16, 40, 64), (16, 8, 4, 2), strict=True)
    ]
    epsilons = {n: m.eps for n, m in network.named_modules() if isinstance(m, nn.LayerNorm)}
    fine = {n for n, eps in epsilons.items() if eps == 1e-5}
    assert {n.rsplit(".", 1)[1] for n in epsilons} == {"layer_norm", "layer_norm_1", "layer_norm_2"}
    assert len(fine) == 4 + 4 and len(epsilons) == 8 + 4 + 2 * 5  # the last stage reduces nothing
    for how, highest in ({}, 0.1), ({"drop_path": 0.2}, 0.2):
        built = PVTv2Stages(**SMALL, **how)
        rates = [m.drop_prob for m in built.modules() if hasattr(m, "drop_prob")]
        assert rates == pytest.approx([highest * share for share in (0.25, 0.5, 0.75, 1)])


def test_the_defaults_are_b5() -> None:
    with torch.device("meta"):
        network = PVTv2Stages()
    assert sum(p.numel() for p in network.parameters()) == 81_443_008
    with pytest.raises(ValueError, match=r"four stages; got depths=\(1, 1\)"):
        PVTv2Stages(depths=(1, 1))
