"""What a paper asserts, in data, judged by the runs: supported, contradicted or undecided.

Not to be confused with `ablations.runs.claims`, by which processes agree on who works on a run.
"""

from analysis.claims.file import Claims, claims_for, load_claims
from analysis.claims.judge import ClaimsError, judge, judge_grids
from analysis.claims.verdict import CONTRADICTED, SUPPORTED, UNDECIDED, Judged, Verdict

__all__ = [
    "CONTRADICTED",
    "SUPPORTED",
    "UNDECIDED",
    "Claims",
    "ClaimsError",
    "Judged",
    "Verdict",
    "claims_for",
    "judge",
    "judge_grids",
    "load_claims",
]
