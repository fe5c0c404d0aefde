"""All that a paper on audio-prompted SAM2 shows: of every grid and sweep that is there.

`auralsam2 make-paper DIR` takes this recipe; copy it and take away what you do not need. `sources`
says of which grids or sweeps a part is made, by the names of their folders.
"""

title = "Tables and figures"

parts = [
    dict(type="ScoreTable", spread="interval"),
    dict(type="ScoreTable", folder="tables/differences", spread="interval", difference=True),
    dict(type="Numbers"),
    dict(type="ClickTable"),
    dict(type="Claims"),
    dict(type="EffectTable"),
    dict(type="GridPoints"),
    dict(type="EffectMaps"),
    dict(type="TrainingCurves"),
    dict(type="Efficiency"),
    dict(type="ClickCurves"),
    dict(type="Qualitative"),
    dict(type="Failures"),
    dict(type="Breakdown"),
    dict(type="Dilution", heads=True),
    dict(type="Embeddings"),
    # Of the first clips: the same under forty corruptions. More are added to what is there.
    dict(type="Robustness", max_clips=16),
    # Behind the figures: it shows them.
    dict(type="Report"),
    dict(type="SweepFigures"),
    dict(type="SweepPage"),
]
