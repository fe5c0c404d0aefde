"""What the AuralSAM2 paper (arXiv 2506.01015) asserts, of the arms that `make paper-demo` trains.

The same sentences as in ``claims/auralsam2.py``, as far as these arms can speak of them: a small
network, synthetic clips and two seeds. ``inferred`` marks what the paper's design implies and what
we did not find asserted in these words.
"""

title = "Claims of the AuralSAM2 paper, on its small arms"

_intro, _method, _experiments = "section 1", "section 3", "section 4"
_ours = dict(cell="AuralSAM2")

claims = [
    dict(
        type="Beats",
        sentence="Audio prompts let a frozen SAM2 segment what sounds",
        source=_intro,
        other="no prompt",
        **_ours,
    ),
    dict(
        type="ListensBy",
        sentence="The masks follow the sound: with another clip's they are worse",
        source=_intro,
        inferred=True,
        **_ours,
    ),
    dict(
        type="ListensBy",
        sentence="The masks follow the sound: in silence they are worse",
        source=_intro,
        inferred=True,
        sound="silence",
        **_ours,
    ),
    dict(
        type="Beats",
        sentence="A prompt that enters the decoder once is diluted: injected at every site it is "
        "worth more",
        source=_intro,
        other="single injection",
        **_ours,
    ),
    dict(
        type="Beats",
        sentence="An external fuser segments what sounds better than a single audio token",
        source=_intro,
        inferred=True,
        other="audio token",
        **_ours,
    ),
    dict(
        type="Beats",
        sentence="SAM2 stays promptable: clicks beside the sound improve the masks",
        source=_intro,
        inferred=True,
        other="AuralSAM2",
        split="test_clicks_3",
        other_split="test_clicks_0",
        **_ours,
    ),
    dict(
        type="Beats",
        sentence="With the same three clicks, sound beside them is worth more than none",
        source=_intro,
        inferred=True,
        other="no prompt",
        split="test_clicks_3",
        other_split="test_clicks_3_unheard",
        **_ours,
    ),
    dict(
        type="Beats",
        sentence="Levels of a pyramid at their own sites beat one level that is repeated",
        source=f"{_method}.2",
        other="one level repeated",
        **_ours,
    ),
    dict(
        type="Beats",
        sentence="AudioCon aligns sound and pixels so that masks improve",
        source=_method,
        other="no contrastive loss",
        **_ours,
    ),
    dict(
        type="Beats",
        sentence="AudioCon beats InfoNCE",
        source=_experiments,
        other="InfoNCE",
        **_ours,
    ),
]
