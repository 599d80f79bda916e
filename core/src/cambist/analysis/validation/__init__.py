"""Whether a result is more than luck: splits of history, tests of Sharpe ratios, overfitting, bootstraps, stability.

Every function says whose formula it is. What they are given are plain arrays and tables, so that it does not matter
what searched for the parameters.
"""

from cambist.analysis.validation.bootstrap import Bands, block_bootstrap, trade_bootstrap
from cambist.analysis.validation.neighborhood import Neighborhood, neighborhood
from cambist.analysis.validation.overfitting import Overfitting, overfitting
from cambist.analysis.validation.selection import Selection, column_sharpe, path_returns, select
from cambist.analysis.validation.sensitivity import break_even_cost, cost_sensitivity, delay_sensitivity
from cambist.analysis.validation.sharpe_tests import (
    deflated_sharpe,
    expected_best_sharpe,
    least_track_record,
    probabilistic_sharpe,
    sharpe_moments,
)
from cambist.analysis.validation.splits import Split, combinatorial_splits, k_fold_splits, walk_forward_splits
from cambist.analysis.validation.verdict import Finding, Tone, account_returns, verdict

__all__ = [
    "Bands",
    "Finding",
    "Neighborhood",
    "Overfitting",
    "Selection",
    "Split",
    "Tone",
    "account_returns",
    "block_bootstrap",
    "break_even_cost",
    "column_sharpe",
    "combinatorial_splits",
    "cost_sensitivity",
    "deflated_sharpe",
    "delay_sensitivity",
    "expected_best_sharpe",
    "k_fold_splits",
    "least_track_record",
    "neighborhood",
    "overfitting",
    "path_returns",
    "probabilistic_sharpe",
    "select",
    "sharpe_moments",
    "trade_bootstrap",
    "verdict",
    "walk_forward_splits",
]
