"""What the example paper shows: numbers for its sentences, tables, figures.

`make` in this folder takes it; `arms` is the folder of the grid `paper_mini` below RUNS.
"""

title = "An example paper"

_undecided = "is not told apart from"
_words = ("is better than", "is worse than", _undecided)
_j = dict(split="test", metric="J")
_ours = dict(cell="AuralSAM2", **_j)

parts = [
    dict(
        type="Numbers",
        sources="arms",
        percent=True,
        interval="{low} to {high}",
        numbers=dict(
            GainOverNone=dict(**_ours, minus="no prompt"),
            GainOverNoneInterval=dict(**_ours, minus="no prompt", show="interval"),
            GainOverNoneP=dict(**_ours, minus="no prompt", show="p"),
            AgainstNone=dict(**_ours, minus="no prompt", show="words", words=_words),
            AgainstTokens=dict(**_ours, minus="audio token", show="words", words=_words),
            GainOverTokens=dict(**_ours, minus="audio token"),
            GainOverTokensInterval=dict(**_ours, minus="audio token", show="interval"),
            HeldBySound=dict(**_ours, minus=dict(split="test_audio_swapped")),
            HeldBySoundInterval=dict(
                **_ours, minus=dict(split="test_audio_swapped"), show="interval"
            ),
            SoundMatters=dict(
                **_ours,
                minus=dict(split="test_audio_swapped"),
                show="words",
                words=(
                    "J falls where the sound is another clip's",
                    "J rises where the sound is another clip's",
                    "these runs do not tell whether J changes where the sound is another clip's",
                ),
            ),
        ),
    ),
    dict(
        type="ScoreTable",
        sources="arms",
        title="What is segmented",
        spread="interval",
        columns=[],
        scores=["test:J", "test:F", "test_audio_swapped:J"],
    ),
    dict(
        type="ScoreTable",
        sources="arms",
        folder="tables/cost",
        title="What it costs",
        significance=False,
        columns=["params", "gflops", "decoder_gflops", "step_seconds", "epochs_to_95"],
        scores=["test:J"],
    ),
    dict(type="GridPoints", sources="arms"),
    dict(type="TrainingCurves", sources="arms"),
]
