"""What it means for two results to be equal: to the last bit, NaN equal to itself."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pandas as pd

import cambist

FORMATS = ["csv", "parquet", "json"]
FRAMES = ("orders", "fills", "trades", "open_trades", "equity")


def exact(value):
    """Every number and time of a value as it is, NaN equal to itself; classes by name, arrays as bytes."""
    if isinstance(value, float):
        return "nan" if value != value else value.hex()  # noqa: PLR0124 - NaN is the one that differs
    if isinstance(value, np.ndarray):
        assert value.dtype in (np.float64, np.int64)
        return exact(value.tolist())
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, cambist.Instrument):
        return repr(value)
    if attrs.has(type(value)):
        names = [field.name for field in attrs.fields(type(value))]
        return (type(value).__name__, {name: exact(getattr(value, name)) for name in names})
    return (type(value).__name__, value)


def hold_equal(loaded, saved):
    for field in attrs.fields(cambist.Result):
        if field.name not in ("strategies", "history", "accounts"):
            one, other = getattr(loaded, field.name), getattr(saved, field.name)
            assert exact(one) == exact(other), field.name
    assert [attrs.asdict(one, recurse=False) for one in loaded.strategies] == [
        {"name": one.name, "class_name": one.class_name, "parameters": json.loads(json.dumps(dict(one.parameters)))}
        for one in saved.strategies
    ]
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(saved, name), check_exact=True, obj=name)
    pd.testing.assert_frame_equal(loaded.series.to_frame(), saved.series.to_frame(), check_exact=True)
    for name in ("buys", "sells", "trades", "closes", "exposures"):
        one, other = getattr(loaded.series, name), getattr(saved.series, name)
        pd.testing.assert_frame_equal(one, other, check_exact=True, obj=name)
    assert exact(dict(loaded.summary)) == exact(dict(saved.summary))
    assert exact(loaded.summary.benchmark) == exact(saved.summary.benchmark)
    assert str(loaded.summary) == str(saved.summary)
    assert repr(loaded) == repr(saved)
    assert all(record.instrument in saved.instruments for record in loaded.order_records)
