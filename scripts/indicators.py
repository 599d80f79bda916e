"""Writes what Cambist knows of TA-Lib's functions anew, from the metadata of the TA-Lib that is installed.

The table of functions (names, inputs, outputs, parameters with defaults and ranges), which is read when an indicator is
first asked for, the typed signatures beside it, and the pages of the documentation that list every indicator. Run it
after a new TA-Lib, and after a change of an indicator's signature or docstring: ``python scripts/indicators.py``.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import talib
from talib import abstract, get_function_groups

ROOM = Path(__file__).parents[1] / "core/src/cambist/indicators"
TABLE, STUB = ROOM / "talib_table.py", ROOM / "talib_lines.pyi"
REFERENCE = Path(__file__).parents[1] / "docs/reference"
PAGE, OWN_PAGE, BACKTRADER_PAGE = (
    REFERENCE / f"{name}.md" for name in ("talib-functions", "own-indicators", "backtrader-indicators")
)

GROUPS = {
    "Overlap Studies": "overlap",
    "Momentum Indicators": "momentum",
    "Volume Indicators": "volume",
    "Volatility Indicators": "volatility",
    "Cycle Indicators": "cycle",
    "Price Transform": "price",
    "Statistic Functions": "statistics",
    "Math Operators": "operators",
    "Math Transform": "functions",
    "Pattern Recognition": "patterns",
}
#: Our names of TA-Lib's parameters, where they are not the same.
PARAMETERS = {
    "timeperiod": "period",
    "timeperiod1": "first",
    "timeperiod2": "second",
    "timeperiod3": "third",
    "firstperiod": "first",
    "secondperiod": "second",
    "fastperiod": "fast",
    "slowperiod": "slow",
    "signalperiod": "signal",
    "fastk_period": "fast_k",
    "fastd_period": "fast_d",
    "slowk_period": "slow_k",
    "slowd_period": "slow_d",
    "matype": "average",
    "fastmatype": "fast_average",
    "slowmatype": "slow_average",
    "signalmatype": "signal_average",
    "fastd_matype": "fast_d_average",
    "slowk_matype": "slow_k_average",
    "slowd_matype": "slow_d_average",
    "nbdev": "deviations",
    "nbdevup": "up",
    "nbdevdn": "down",
    "fastlimit": "fast_limit",
    "slowlimit": "slow_limit",
    "minperiod": "min_period",
    "maxperiod": "max_period",
    "atrperiod": "atr_period",
    "rocperiod": "roc_period",
    "roc1period": "first",
    "roc2period": "second",
    "wmaperiod": "period",
    "stddevperiod": "deviation_period",
    "vfactor": "volume_factor",
    "leftbars": "left",
    "rightbars": "right",
    "startvalue": "start",
    "offsetonreverse": "reverse_offset",
    "accelerationinitlong": "long_start",
    "accelerationlong": "long_step",
    "accelerationmaxlong": "long_maximum",
    "accelerationinitshort": "short_start",
    "accelerationshort": "short_step",
    "accelerationmaxshort": "short_maximum",
}
#: Our names of TA-Lib's outputs, where they are not the same.
OUTPUTS = {
    "real": "value",
    "integer": "value",
    "upperband": "upper",
    "middleband": "middle",
    "lowerband": "lower",
    "macdsignal": "signal",
    "macdhist": "histogram",
    "smisignal": "signal",
    "aroondown": "down",
    "aroonup": "up",
    "slowk": "k",
    "slowd": "d",
    "fastk": "k",
    "fastd": "d",
    "leadsine": "lead",
    "minidx": "lowest",
    "maxidx": "highest",
    "min": "lowest",
    "max": "highest",
    "plusvi": "plus",
    "minusvi": "minus",
    "bullpower": "bull",
    "bearpower": "bear",
    "swinghigh": "high",
    "swinglow": "low",
    "haopen": "open",
    "hahigh": "high",
    "halow": "low",
    "haclose": "close",
}
#: TA-Lib's kinds of moving averages, by number.
AVERAGES = ("sma", "ema", "wma", "dema", "tema", "trima", "kama", "mama", "t3", "hma", "", "", "zlema", "rma")
#: Where one parameter of ours stands for several of TA-Lib's, in place of its own rows.
TOGETHER = {("BBANDS", "nbdevup"): "deviations:nbdevup,nbdevdn=2.0 in 0..1000", ("BBANDS", "nbdevdn"): ""}
#: Functions whose outputs are places in a column.
POSITIONS = {"MAXINDEX", "MININDEX", "MINMAXINDEX"}
_LARGEST = 3e37


def _probe(name: str, keyword: str, value: float) -> bool:
    function = abstract.Function(name)
    try:
        function.parameters = {keyword: value}
        return int(function.lookback) >= 0
    except Exception:  # noqa: BLE001 - TA-Lib has no class of its own for this
        return False


def _range(name: str, keyword: str, default: float) -> str:
    """Return the least and the greatest value that TA-Lib takes."""
    if isinstance(default, int):
        least = next(value for value in range(-1, 100) if _probe(name, keyword, value))
        greatest = next(value for value in (100_000, 50, 20, 10, 5) if _probe(name, keyword, value))
        return f"{least}..{greatest}"
    least = next((value for value in (-_LARGEST, 0.0, 0.01, 0.1) if _probe(name, keyword, value)), math.nan)
    greatest = next((value for value in (_LARGEST, 100.0, 1.0, 0.99) if _probe(name, keyword, value)), math.nan)
    return f"{'' if least == -_LARGEST else f'{least:g}'}..{'' if greatest == _LARGEST else f'{greatest:g}'}"


def _parameter(name: str, keyword: str, default: float) -> str:
    if (name, keyword) in TOGETHER:
        return TOGETHER[name, keyword]
    ours = PARAMETERS.get(keyword, keyword)
    if "matype" in keyword:
        return f"{ours}:{keyword}={AVERAGES[int(default)]}"
    return f"{ours}:{keyword}={default} in {_range(name, keyword, default)}"


def _is_whole(name: str, inputs: int) -> bool:
    """Answer whether one of a function's outputs holds integers."""
    results = getattr(talib, name)(*[np.linspace(0.1, 0.9, 200)] * inputs)
    return any(one.dtype.kind == "i" for one in (results if isinstance(results, tuple) else (results,)))


def _row(name: str) -> str:
    info = abstract.Function(name).info
    inputs: list[str] = []
    for key, value in info["input_names"].items():
        inputs += value if isinstance(value, list) else [key]
    outputs = [OUTPUTS.get(one, one) for one in info["output_names"]]
    kind = "position" if name in POSITIONS else "whole" if _is_whole(name, len(inputs)) else "real"
    parameters = "; ".join(filter(None, (_parameter(name, *one) for one in info["parameters"].items())))
    cells = name, info["display_name"].split(":")[0].rstrip(), " ".join(inputs), " ".join(outputs), kind, parameters
    return " | ".join(cells).rstrip()


def table() -> str:
    """Return the source of the table."""
    lines = [
        "# ruff: noqa: E501 - a row is a function",
        '"""TA-Lib\'s functions, from its own metadata: name, title, inputs, outputs, kind of output, parameters.',
        "",
        "A parameter is our name, TA-Lib's, the default and the range. Written by scripts/indicators.py.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        '__all__ = ["TABLE"]',
        "",
        'TABLE = """\\',
    ]
    groups = get_function_groups()
    for title, group in GROUPS.items():
        lines.append(f"# {group}")
        lines += [_row(name) for name in groups[title]]
    return "\n".join([*lines, '"""']) + "\n"


def stub() -> str:
    """Return the typed signatures."""
    from cambist.indicators.talib_functions import described, signature_text, tuple_fields

    lines = [
        "# Typed signatures of TA-Lib's functions; written by scripts/indicators.py.",
        "# ruff: noqa: E501, N802",
        "# fmt: off",
        "from typing import Any, NamedTuple",
        "",
        "from cambist.indicators.lines import Line",
    ]
    functions = list(described().values())
    for name, fields in tuple_fields(functions).items():
        lines += ["", f"class {name}(NamedTuple):", *(f"    {field}: Line" for field in fields)]
    lines.append("")
    lines += [f"def {one.name}{signature_text(one)}: ..." for one in functions]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page that lists the functions."""
    from cambist.indicators.talib_functions import arguments, described, formula

    lines = [
        "# TA-Lib's functions",
        "",
        "All of them as [indicators](indicators.md). `O H L C V` are the columns of a bar, `x` the values of the line,",
        "`n` the period; `x'` is the value of the bar before, `x[n]` the one n bars ago. `TR` is the true range,",
        "`max(H, C') - min(L, C')`, `TP` the typical price, `(H + L + C) / 3`. What a pattern says is what it is",
        "commonly taken for. `scripts/indicators.py` writes this page from the metadata of TA-Lib.",
    ]
    group = ""
    for one in described().values():
        if one.group != group:
            group = one.group
            lines += ["", f"## {group.capitalize()}", "", "| call | gives | lookback | computes |", "|---|---|---|---|"]
        given = [f"{each.name}={each.written}" for each in one.parameters]
        call = f"`{one.name}({', '.join([*arguments(one), *given])})`"
        gives = "" if len(one.outputs) == 1 else ", ".join(f"`.{output}`" for output in one.outputs)
        said = formula(one).replace("|", "\\|")
        lines.append(f"| {call} | {gives} | {one().lookback} | {one.title}: {said} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").rstrip(".")


def _lookback(one: Any) -> str:
    # statsmodels, which these need, may not be installed where the page is written.
    lookbacks = None if "oint" in one.name else one.lookbacks()
    if lookbacks is None:
        return "see there"
    if len(set(lookbacks.values())) == 1:
        return str(max(lookbacks.values()))
    return ", ".join(f"{name} {bars}" for name, bars in lookbacks.items())


def own_page() -> str:
    """Return the page that lists what TA-Lib lacks."""
    from cambist.indicators.catalog import entries

    lines = [
        "# Indicators beyond TA-Lib",
        "",
        "From `cambist.indicators`, beside [TA-Lib's functions](talib-functions.md), in whose letters the formulas are",
        "written. Parameters, units and errors are in the docstrings: `cambist indicators show NAME`. The lookback is",
        "that of the defaults. `scripts/indicators.py` writes this page.",
    ]
    own = [one for one in entries() if one.source == "cambist"]
    for group in dict.fromkeys(one.group for one in own):
        lines += ["", f"## {group.capitalize()}", "", "| call | lookback | computes |", "|---|---|---|"]
        for one in own:
            if one.group == group:
                said = one.title if one.title.startswith(one.formula[:20]) else f"{one.title}: {one.formula}"
                lines.append(f"| `{one.call}` | {_lookback(one)} | {_cell(said)} |")
    return "\n".join(lines) + "\n"


def backtrader_page() -> str:
    """Return the page that lists backtrader's indicators, and how each stands to TA-Lib's."""
    from cambist.indicators.catalog import entries

    lines = [
        "# backtrader's indicators",
        "",
        "`cambist.indicators.backtrader` has every indicator of backtrader's under its names, aliases, parameters and",
        "names of lines, and with its numbers; tests compare each with backtrader itself, on made-up and on real bars.",
        "Where TA-Lib has one of the same purpose, the last column says whether it is the same; both are there, so",
        "take the one you mean.",
        "",
        "```python",
        "import cambist",
        "from cambist import Strategy",
        "from cambist.indicators import CCI",
        "from cambist.indicators import backtrader as btind",
        "",
        "",
        "class Both(Strategy):",
        "    def on_start(self):",
        "        self.band = btind.BBands(self.data, period=20, devfactor=2.0)  # a series stands for its close",
        "        self.theirs = btind.CCI(self.data, period=20, movav=btind.EMA)",
        "        self.talib = CCI(self.data, 20)",
        "",
        "    def on_bar(self, bar):",
        "        if bar.close < self.band.bot[0] and self.theirs[0] < -100:",
        "            self.buy()",
        "        elif bar.close > self.band.mid[0]:",
        "            self.close()",
        "",
        "",
        "result = cambist.backtest(Both(), bars)",
        "```",
        "",
        "Parameters that only matter for drawing (`upperband`, `_autoplot`, ...) may be given and change nothing. The",
        "data are always named: there is no first feed that is meant where none is. Where backtrader stops with a",
        "division by zero, there is a number or NaN. `scripts/indicators.py` writes this page.",
    ]
    theirs = [one for one in entries() if one.source == "backtrader"]
    for group in dict.fromkeys(one.group for one in theirs):
        head = "| name | other names | lines | lookback | computes | beside TA-Lib |"
        lines += ["", f"## {group.removeprefix('backtrader ').capitalize()}", "", head, "|---|---|---|---|---|---|"]
        for one in theirs:
            if one.group == group:
                call = one.call.removeprefix("backtrader.")
                cells = (
                    f"`{call}`",
                    ", ".join(one.aliases),
                    ", ".join(one.details["outputs"]),
                    _lookback(one),
                    _cell(one.title),
                    _cell(one.note),
                )
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table())
    STUB.write_text(stub())
    PAGE.write_text(page())
    OWN_PAGE.write_text(own_page())
    BACKTRADER_PAGE.write_text(backtrader_page())
