"""What all that says, in plain words."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite, isnan, sqrt
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.validation.bootstrap import block_bootstrap, trade_bootstrap
from cambist.analysis.validation.sensitivity import break_even_cost
from cambist.analysis.validation.sharpe_tests import (
    expected_best_sharpe,
    least_track_record,
    probabilistic_sharpe,
    sharpe_moments,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts
    from cambist.analysis.validation.overfitting import Overfitting

__all__ = ["Finding", "Tone", "account_returns", "verdict"]

#: Trades below which averages of them say little.
_FEW = 30


class Tone(StrEnum):
    """What a finding speaks for."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@attrs.frozen(slots=True)
class Finding:
    """One thing that can be said of a run.

    Attributes
    ----------
    tone
        What it speaks for.
    claim
        In a sentence.
    reason
        The numbers behind it.
    """

    tone: Tone
    claim: str
    reason: str


def account_returns(facts: RunFacts) -> NDArray[np.float64]:
    """Return what each closed trade added to the account, as a fraction of its worth before, shape ``(n,)``."""
    nets = facts.nets_by_close
    before = facts.curve.initial + np.concatenate(([0.0], np.cumsum(nets)[:-1]))
    return nets / before if len(nets) and before.min() > 0.0 else np.empty(0)


def verdict(
    facts: RunFacts, *, trials: int = 1, trial_variance: float = 0.0, search: Overfitting | None = None, seed: int = 0
) -> list[Finding]:
    """Return what there is to say about whether a run is more than luck.

    Parameters
    ----------
    facts
        Of the run.
    trials, trial_variance
        How many configurations were tried to find it, and the variance of their Sharpe ratios, a day.
    search
        What `cambist.analysis.validation.overfitting` said of the search.
    seed
        Of the bootstraps.
    """
    if not facts.closed:
        return [Finding(Tone.OPEN, "There is nothing to judge.", "The run closed no trade.")]
    return [
        *_sharpe(facts, trials, trial_variance),
        *_searched(search),
        *_bootstraps(facts, seed),
        *_benchmark(facts),
        *_costs(facts),
        *_sample(facts),
    ]


def _sharpe(facts: RunFacts, trials: int, variance: float) -> Iterator[Finding]:
    returns = facts.returns
    ratio, skewness, kurtosis = sharpe_moments(returns)
    if isnan(ratio):
        yield Finding(Tone.OPEN, "A Sharpe ratio cannot be tested.", "There are too few days on which equity moved.")
        return
    per_year = facts.periods_per_year("day")
    luck = expected_best_sharpe(trials, variance)
    sure = probabilistic_sharpe(ratio, len(returns), skewness, kurtosis, luck)
    needed = least_track_record(ratio, skewness, kurtosis, luck) / per_year
    shown = f"Sharpe ratio {ratio * sqrt(per_year):.2f} a year over {len(returns):,} days"
    against = f"the best of {trials:,} tries by luck alone" if trials > 1 else "zero"
    name = "deflated" if trials > 1 else "probabilistic"
    tone = Tone.GOOD if sure >= 0.95 else Tone.BAD if sure < 0.8 else Tone.OPEN
    claims = {
        Tone.GOOD: f"The return for its risk is very probably better than {against}.",
        Tone.OPEN: f"The return for its risk may be better than {against}; it is not sure.",
        Tone.BAD: f"The return for its risk cannot be told from {against}.",
    }
    enough = f"{needed:,.1f} years would be needed to be 95 % sure" if isfinite(needed) else "no length would be enough"
    yield Finding(tone, claims[tone], f"{shown}; {name} Sharpe ratio {100 * sure:.1f} %; {enough}.")
    if trials == 1:
        yield Finding(
            Tone.OPEN,
            "How many configurations were tried before this one is not known.",
            "A run cannot tell. The more there were, the less its Sharpe ratio means; sweeps count them.",
        )


def _searched(search: Overfitting | None) -> Iterator[Finding]:
    if search is None:
        return
    tone = Tone.GOOD if search.probability < 0.2 else Tone.BAD if search.probability >= 0.4 else Tone.OPEN
    claims = {
        Tone.GOOD: "What won the search in one half of history did well in the other.",
        Tone.OPEN: "What won the search in one half of history did not always do well in the other.",
        Tone.BAD: "The search found what does not last: its winners are no better than others elsewhere.",
    }
    yield Finding(
        tone,
        claims[tone],
        f"Probability of overfitting {100 * search.probability:.0f} % (noise has 50 %); winners lost money elsewhere "
        f"in {100 * search.loss:.0f} % of {len(search.logits):,} halvings.",
    )


def _bootstraps(facts: RunFacts, seed: int) -> Iterator[Finding]:
    returns = facts.returns
    if len(returns) >= 20 and np.isfinite(returns).all() and np.ptp(returns):
        bands = block_bootstrap(returns, seed=seed)
        low, high = bands.interval("growth")
        fall, _ = bands.interval("drawdown")
        lost = bands.loss_probability
        tone = Tone.GOOD if lost < 0.05 else Tone.BAD if lost > 0.25 else Tone.OPEN
        claim = {
            Tone.GOOD: "Drawn again from its own days, it hardly ever loses.",
            Tone.OPEN: "Drawn again from its own days, it loses now and then.",
            Tone.BAD: "Drawn again from its own days, it often loses.",
        }[tone]
        yield Finding(
            tone,
            claim,
            f"Of 1,000 runs of blocks of about {bands.block:.0f} days {100 * lost:.0f} % lost; nine in ten made "
            f"{100 * low:+.1f} % to {100 * high:+.1f} %, and one in twenty fell by {100 * -fall:.1f} % or more.",
        )
    trades = account_returns(facts)
    if len(trades) >= 10 and np.ptp(trades):
        bands = trade_bootstrap(trades, seed=seed)
        fall, _ = bands.interval("drawdown")
        yield Finding(
            Tone.OPEN,
            "With the same trades in another order and number it could have fallen further.",
            f"Drawing its {len(trades):,} trades anew, one run in twenty falls by {100 * -fall:.1f} % or more, seen at "
            f"the ends of trades; {100 * bands.loss_probability:.0f} % lose.",
        )


def _benchmark(facts: RunFacts) -> Iterator[Finding]:
    held = facts.benchmark
    if held is None or held.ruined or facts.curve.ruined:
        return
    own = facts.curve.final / facts.curve.initial - 1.0
    other = held.final / held.initial - 1.0
    risk = (facts.curve.drawdown.fraction, held.drawdown.fraction)
    falls = f"deepest falls {100 * risk[0]:.1f} % and {100 * risk[1]:.1f} %"
    said = f"{100 * own:+.1f} % against {100 * other:+.1f} %, {falls}."
    if own > other:
        yield Finding(Tone.GOOD, "It made more than buying and holding.", said)
    elif risk[0] > risk[1] / 2.0:
        yield Finding(Tone.OPEN, "It made less than buying and holding, and fell far less.", said)
    else:
        yield Finding(Tone.BAD, "Buying and holding made more.", said)


def _costs(facts: RunFacts) -> Iterator[Finding]:
    room = break_even_cost(facts)
    if isnan(room):
        return
    points = 1e4 * room
    tone = Tone.BAD if points < 2 else Tone.GOOD if points > 20 else Tone.OPEN
    if room <= 0:
        yield Finding(Tone.BAD, "Trades lost money after costs.", f"On average {-points:.1f} basis points a fill.")
        return
    claim = {
        Tone.GOOD: "Much dearer trading would not have taken the profit.",
        Tone.OPEN: "Dearer trading would have taken the profit.",
        Tone.BAD: "The slightest further cost would have taken the profit.",
    }[tone]
    yield Finding(tone, claim, f"Trades break even at {points:.1f} basis points more on each fill.")


def _sample(facts: RunFacts) -> Iterator[Finding]:
    nets = facts.nets
    if len(nets) < _FEW:
        yield Finding(
            Tone.BAD, "There are few trades.", f"{len(nets):,} closed trades: averages of fewer than {_FEW} say little."
        )
    total = float(nets.sum())
    if total > 0 and len(nets) >= 5:
        best = float(np.sort(nets)[-max(1, len(nets) // 20) :].sum())
        if best > 0.5 * total:
            yield Finding(
                Tone.BAD,
                "A few trades made it all.",
                f"The best twentieth of the trades made {100 * best / total:.0f} % of the profit.",
            )
