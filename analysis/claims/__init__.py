"""What a paper asserts, in data, judged by the runs: supported, contradicted or undecided.

Not to be confused with `ablations.runs.claims`, by which processes agree on who works on a run.
"""
