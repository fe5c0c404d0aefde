"""Conversion is without loss, and what it cannot convert it names."""

from __future__ import annotations

import pytest
import torch

from auralsam2.engine.conversion.convert import (
    Options,
    Report,
    convert,
    describe,
    told,
    with_guesses,
)
from auralsam2.engine.conversion.legacy import OLDER_PREFIX, older_name
from auralsam2.engine.conversion.names import Structure
from auralsam2.models.weights.loading import Coverage

VARIANTS = pytest.mark.parametrize("variant", ["avs", "ref"])
NAMINGS = pytest.mark.parametrize("naming", ["audio_prompter", "training_layers"])


def back(conversion, **options):
    return convert(conversion.state, Options(to="authors", **options)).state


@VARIANTS
def test_round_trip_of_the_full_key_list(variant: str, full_state, assert_same) -> None:
    state = full_state(variant)
    ours = convert(state)
    assert ours.report.coverage.complete and len(ours.report.coverage.matched) == len(state)
    assert not ours.aside and not ours.report.duplicates
    again = back(ours)
    assert_same(again, state)
    assert list(again) == list(state), "in the order of the authors' model"


@VARIANTS
def test_round_trip_of_the_fixture_weights(variant: str, fixture_state, assert_same) -> None:
    state = fixture_state(variant)
    assert len({tensor.dtype for tensor in state.values()}) > 2
    ours = convert(state)
    assert_same(back(ours), state)
    assert ours.state["fuser.fusions.0.visual_query.weight"].shape == (128, 256)
    assert "released: (3, 6, 12)" in str(ours.report) and "no VGGish" in str(ours.report)


@NAMINGS
@VARIANTS
def test_older_names_round_trip_to_both_namings(
    variant: str, naming: str, full_state, assert_same
) -> None:
    state = full_state(variant)
    prefix = OLDER_PREFIX if naming == "audio_prompter" else ""
    older = {prefix + older_name(key, naming): tensor for key, tensor in state.items()}
    assert not older.keys() & state.keys() or naming == "training_layers"
    ours = convert(older)
    assert_same(ours.state, convert(state).state)
    assert_same(back(ours), state)
    assert_same(back(ours, naming=naming), older)


def test_numbered_names_alone(full_state) -> None:
    numbered = [older_name(key, "training_layers") for key in full_state("ref")]
    assert all(key.startswith(("training_layers.", "finetuning_layers.0.")) for key in numbered)


def test_an_older_export_with_duplicates(small_state, assert_same) -> None:
    state = small_state("avs", vggish=True)
    export = {OLDER_PREFIX + older_name(k, "audio_prompter"): v for k, v in state.items()}
    doubled = {OLDER_PREFIX + older_name(k, "training_layers"): v for k, v in state.items()}
    ours = convert(doubled | export)
    assert set(ours.report.duplicates) == set(doubled)
    assert "duplicates dropped" in str(ours.report)
    assert_same(back(ours), state)
    doubled[f"{OLDER_PREFIX}training_layers.12.bias"] = torch.zeros(8)
    with pytest.raises(ValueError, match="under two names"):
        convert(export | doubled)


@VARIANTS
def test_full_models(variant: str, small_state, assert_same) -> None:
    fuser = small_state(variant)
    frozen = {"v_model.image_encoder.x": torch.ones(2, 2, 1, 1), "t_model.y": torch.ones(3)}
    state = {f"aural_fuser.{k}": v for k, v in fuser.items()} | frozen
    ours = convert({f"module.{key}": tensor for key, tensor in state.items()})
    assert ours.state["backbone.network.image_encoder.x"] is frozen["v_model.image_encoder.x"]
    assert "text_encoder.network.y" in ours.state and ours.report.carried == 2
    assert_same(back(ours), state)
    older = back(ours, naming="audio_prompter")
    assert {k.split(".")[0] for k in older} == {"audio_prompter", "v_model", "t_model"}
    assert_same(back(convert(older)), state)
    bare = convert(ours.state, Options(layout="fuser"))
    assert_same(bare.state, fuser)
    assert set(bare.report.left_out) == {
        "backbone.network.image_encoder.x",
        "text_encoder.network.y",
    }
    prefixed = convert(convert(fuser).state, Options(layout="full")).state
    assert_same(prefixed, {f"aural_fuser.{key}": tensor for key, tensor in fuser.items()})


def test_buffers_of_the_frozen_sam2_do_not_make_a_full_model(small_state, assert_same) -> None:
    state = small_state()
    pe = "backbone.network.sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
    trained = convert(state).state | {pe: torch.zeros(2, 4)}
    done = convert(trained)
    assert_same(done.state, state)
    assert done.report.left_out == (pe,)


def test_same_side_changes_names_alone(small_state, assert_same) -> None:
    state = small_state("ref")
    older = convert(state, Options(to="authors", naming="audio_prompter")).state
    assert "audio_prompter.train_f_block3.1.norm1.bias" in older
    assert_same(convert(older, Options(to="authors")).state, state)


def test_never_used_parameters_can_be_zeros(small_state, assert_same) -> None:
    state = small_state()
    ours = convert(state).state
    trained = {key: tensor.half() for key, tensor in ours.items() if "unused_" not in key}
    with pytest.raises(ValueError, match="the missing ones are never used: --unused zeros"):
        convert(trained)
    done = convert(trained, Options(unused="zeros"))
    assert {k: v.shape for k, v in done.state.items()} == {k: v.shape for k, v in state.items()}
    filled = [key for key, tensor in done.state.items() if not tensor.any()]
    assert len(filled) == len(done.report.filled) == len(ours) - len(trained)
    assert all(done.state[key].dtype == torch.float16 for key in filled)
    assert f"{len(filled)} filled" in str(done.report)
    del trained["fuser.smooth.0.bias"]
    with pytest.raises(ValueError, match="1 missing .fuser.smooth.0.bias"):
        convert(trained, Options(unused="zeros"))


@pytest.mark.parametrize("to_ours_first", [True, False])
def test_all_problems_are_told_at_once(small_state, to_ours_first: bool) -> None:
    state = small_state()
    names = ("f_blocks.2.0.attn.q.weight", "fusion_modules.1.g.bias", "a_blocks.0.0.norm1.bias")
    if to_ours_first:
        state = convert(state).state
        names = (
            "fuser.visual_attentions.2.blocks.0.attn.q.weight",
            "fuser.fusions.1.unused_visual.bias",
            "fuser.audio_attentions.0.blocks.0.norm1.bias",
        )
    misspelt, short, gone = names
    wrong = misspelt.replace("attn", "atn")
    state[wrong] = state.pop(misspelt)
    state[short] = torch.zeros(3)
    del state[gone]
    with pytest.raises(ValueError) as caught:
        convert(state)
    for part in (
        f"1 unexpected ({wrong}, did you mean {misspelt}?)",
        f"1 misshapen ({short}: (3,), expected (4,))",
        "2 missing",
        gone,
        "--allow-partial",
    ):
        assert part in str(caught.value)
    partial = convert(state, Options(allow_partial=True))
    assert set(partial.aside) == {wrong, short}
    assert len(partial.state) == len(state) - 2


def test_unknown_names_of_an_older_export_keep_their_own_name(small_state) -> None:
    state = {OLDER_PREFIX + older_name(k, "audio_prompter"): v for k, v in small_state().items()}
    state["audio_prompter.train_smooth3.weight"] = torch.zeros(8, 8, 1, 1)
    with pytest.raises(ValueError, match=r"1 unexpected \(audio_prompter.train_smooth3.weight"):
        convert(state)


def test_a_flat_weight_among_the_authors_is_misshapen(small_state) -> None:
    state = small_state()
    state["smooth_convs.0.weight"] = torch.zeros(8, 8)
    with pytest.raises(
        ValueError, match=r"smooth_convs.0.weight: \(8, 8\), expected \(8, 8, 1, 1\)"
    ):
        convert(state)


def test_a_file_without_heads_needs_the_variant(small_state) -> None:
    state = {k: v for k, v in small_state().items() if not k.startswith("train_proj")}
    with pytest.raises(ValueError, match="--variant"):
        convert(state)
    with pytest.raises(ValueError, match="18 missing"):
        convert(state, Options(variant="avs"))
    done = convert(state, Options(variant="avs", allow_partial=True))
    assert len(done.state) == len(state)


def test_numbered_names_need_three_levels(small_state) -> None:
    from auralsam2.engine.conversion.names import RELEASED_WIDTHS, Structure, entries, resolve

    table = entries(Structure("avs", (1,), (1,), False))
    state = {e.authors: torch.zeros(resolve(e.shape, RELEASED_WIDTHS)) for e in table}
    options = Options(to="authors", naming="training_layers")
    with pytest.raises(ValueError, match="3 levels, the checkpoint has 1"):
        convert(state, options)


def test_unknown_options_are_told_together() -> None:
    with pytest.raises(ValueError, match="unknown to='us'.*unknown layout='flat'.*unknown naming"):
        convert({}, Options(to="us", layout="flat", naming="old"))


def test_coverage_counts_and_names() -> None:
    coverage = Coverage(("a",), tuple(f"m{i}" for i in range(9)), ("u",), ())
    assert not coverage.complete
    assert told(coverage) == (
        "1 matched; 9 missing (m0 | m1 | m2 | m3 | m4 | m5 | ...); 1 unexpected (u); 0 misshapen"
    )


def test_released_depths_need_no_remark() -> None:
    assert "released:" not in describe(Structure("avs", (3, 6, 12), (3, 3, 3)))
    assert "released: (3, 6, 12)" in describe(Structure("avs", (3, 6, 11), (3, 3, 3)))


def test_report_tells_what_did_not_come_along() -> None:
    structure = Structure("ref", (3, 6, 12), (3, 3, 3), vggish=False)
    whole = Coverage(("a",), (), (), ())
    text = str(
        Report("ours", structure, whole, ("z",), ("training_layers.0.bias",), 0, ("backbone.x",))
    )
    for part in (
        "our names",
        "0 misshapen; 1 filled (z)",
        "duplicates dropped: 1",
        "fuser alone: 1",
        "backbone.x",
        "no VGGish",
    ):
        assert part in text


def test_guesses_are_missing_names_and_few() -> None:
    unknown = {"atn.q.weight": "x.atn.q.weight", "zzzzzzzz": "zzzzzzzz"}
    first, second = with_guesses(unknown, ["attn.kv.weight", "attn.q.weight"])
    assert first == "x.atn.q.weight, did you mean attn.q.weight?"
    assert second == "zzzzzzzz"
    many = {f"attn.q.weight{i}": f"attn.q.weight{i}" for i in range(20)}
    assert sum("did you mean" in text for text in with_guesses(many, ["attn.q.weight"])) == 8
    assert with_guesses({"a.bias": "a.bias"}, []) == ("a.bias",)
