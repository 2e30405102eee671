"""How far the main law's verdict on the exponent can be trusted, in words."""

from __future__ import annotations

from collections.abc import Sequence

from bootlaw.fitting import Fit
from bootlaw.reports import quantities as q
from bootlaw.reports.findings import Contest

MAIN = "bootstrapped"
PLAIN = "multiplicative"
"""The main law with a3 = 0: the one whose exponent does not depend on the base."""


def doubt(contests: Sequence[Contest], main: Fit | None) -> str:
    """Return why the main law's exponent is not the last word; empty where nothing speaks so.

    Nothing does where the main law is among the winners of every contest and its intervals do
    not rest on few trunks.
    """
    judged = [contest for contest in contests if contest.scored]
    if not judged:
        return "no held-out runs test that law"
    wins = all(MAIN in contest.winners for contest in judged)
    few = main is not None and any(item.code == "few_trunks" for item in main.diagnostics)
    if wins and not few:
        return ""
    return _against_plain(judged) or (
        "its interval rests on few trunks"
        if wins
        else f"other laws predict held-out runs better in {_lost(judged)}"
    )


def _against_plain(judged: Sequence[Contest]) -> str:
    """Return how the law without interaction fares beside the main law; empty where worse."""
    errors = [(contest.error_of(MAIN), contest.error_of(PLAIN)) for contest in judged]
    pairs = [(main, plain) for main, plain in errors if main is not None and plain is not None]
    if len(pairs) < len(judged):
        return ""
    if all(plain < main for main, plain in pairs):
        return "the law without interaction predicts held-out runs as well or better"
    if all(PLAIN in contest.winners for contest in judged):
        return "the law without interaction predicts held-out runs as well"
    if any(plain < main for main, plain in pairs):
        return "the hold-out tests disagree whether the law without interaction predicts better"
    return ""


def _lost(judged: Sequence[Contest]) -> str:
    lost = sum(MAIN not in contest.winners for contest in judged)
    return f"{lost} of {q.plural(len(judged), 'hold-out test')}"
