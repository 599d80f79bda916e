"""The numbers at the top of a page: what everybody looks at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_report.markup import escape, sign_class

if TYPE_CHECKING:
    from cambist import Result

__all__ = ["tiles"]

#: Measures, and whether their color follows their sign.
_SHOWN = (
    ("total_return", True),
    ("cagr", True),
    ("sharpe", False),
    ("sortino", False),
    ("max_drawdown", False),
    ("volatility", False),
    ("trades", False),
    ("win_rate", False),
    ("profit_factor", False),
    ("exposure", False),
)


def tiles(result: Result) -> str:
    """Return the numbers, buying and holding below them."""
    summary = result.summary
    texts = dict(zip(summary, summary.rows(), strict=True))
    parts = []
    for key, colored in _SHOWN:
        label, own, other = texts[key]
        value = summary[key]
        style = f" {sign_class(value)}" if colored and isinstance(value, float) else ""
        below = (
            f'<span class="below" title="Buying and holding">held: {escape(other)}</span>'
            if other and key != "exposure"
            else ""
        )
        parts.append(
            f'<div class="tile"><dt>{escape(label)}</dt>'
            f'<dd data-measure="{key}"><span class="figure{style}">{escape(own)}</span>{below}</dd></div>'
        )
    return f'<dl class="tiles">{"".join(parts)}</dl>'
