"""Draws the pictures of the documentation: ``python scripts/pictures.py`` writes ``docs/_pictures``.

What a picture shows of the code comes from the code: the moves of an order from the table of its states, the floors of
the house from the contract that holds them. One that a picture has no place for, or that is gone, is an error here.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from html import escape
from pathlib import Path

import attrs

from cambist.model import OrderStatus
from cambist.orders import TABLE, Marker, OrderInput

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/_pictures"
LINE = 16  # between the lines of a text


@attrs.define
class Drawing:
    """A drawing of boxes, arrows and texts; what is drawn first lies below."""

    width: int
    height: int
    parts: list[str] = attrs.field(factory=list)

    def box(self, x: float, y: float, width: float, height: float, text: str = "", kind: str = "") -> None:
        """Draw a box; the first line of its text is its name."""
        self.parts.append(
            f'<rect class="box {kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="7"/>'
        )
        lines = text.split("\n") if text else []
        top = y + height / 2 - (len(lines) - 1) * LINE / 2 + 4.5
        for number, line in enumerate(lines):
            self.text(x + width / 2, top + number * LINE, line, "name" if number == 0 else "small")

    def text(self, x: float, y: float, text: str, kind: str = "small", anchor: str = "middle") -> None:
        """Write a text; its lines follow each other downwards."""
        for number, line in enumerate(text.split("\n")):
            place = f'x="{x:g}" y="{y + number * LINE:g}"'
            self.parts.append(f'<text class="{kind}" {place} text-anchor="{anchor}">{escape(line)}</text>')

    def arrow(self, *points: tuple[float, float], kind: str = "") -> None:
        """Draw an arrow along points."""
        way = " ".join(f"{'L' if number else 'M'}{x:g} {y:g}" for number, (x, y) in enumerate(points))
        self.parts.append(f'<path class="arrow {kind}" d="{way}" marker-end="url(#head)"/>')

    def svg(self) -> str:
        """Return the drawing."""
        head = (
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>'
        )
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}"'
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', head, *self.parts, "</svg>", ""])


def drivers() -> str:
    """Draw one kernel and the four drivers around it."""
    drawing = Drawing(860, 330)
    rows = [
        ("backtest", "arrays of bars, trades, quotes", "simulated venue"),
        ("replay", "journal and recording", "comparer"),
        ("paper", "live market data", "simulated venue"),
        ("live", "market data and private streams", "venue"),
    ]
    drawing.text(135, 22, "events come from", "label")
    drawing.text(430, 22, "one kernel: no clock, no socket, no file", "label")
    drawing.text(730, 22, "effects go to", "label")
    drawing.box(325, 38, 210, 276, kind="strong")
    for number, text in enumerate(("step(event)", "→ effects")):
        drawing.text(430, 72 + 19 * number, text, "code")
    for number, part in enumerate(("strategy", "risk gate", "order state machine", "portfolio")):
        drawing.box(350, 110 + 50 * number, 160, 38, part)
    for number, (name, source, target) in enumerate(rows):
        y = 40 + 70 * number
        drawing.box(10, y, 250, 56, f"{name}\n{source}", "soft")
        drawing.arrow((260, y + 28), (322, y + 28))
        drawing.arrow((535, y + 28), (617, y + 28))
        drawing.box(620, y, 220, 56, target, "soft")
    return drawing.svg()


def flow() -> str:
    """Draw the way of the data."""
    drawing = Drawing(880, 330)
    stages = ["feed", "checks, repair,\nresample", "indicators", "strategy", "risk gate", "orders", "broker"]
    width, gap = 104, 22
    for number, stage in enumerate(stages):
        x = 10 + number * (width + gap)
        drawing.box(x, 40, width, 56, kind="strong" if stage in {"risk gate", "orders"} else "")
        for line, text in enumerate(stage.split("\n")):
            drawing.text(x + width / 2, 72 - 8 * stage.count("\n") + LINE * line, text, "name")
        if number:
            drawing.arrow((x - gap, 68), (x - 3, 68))
    drawing.text(514 + 52, 28, "the only maker of approved orders", "label")
    drawing.box(388, 160, 104, 52, "portfolio")
    drawing.arrow((818, 96), (818, 186), (495, 186))
    drawing.text(596, 178, "acknowledgements, fills, cancels", "label")
    drawing.arrow((692, 186), (692, 99))
    drawing.arrow((440, 160), (440, 99))
    drawing.text(432, 134, "positions, equity", "label", "end")
    drawing.arrow((440, 212), (440, 250))
    drawing.box(10, 253, 860, 62, kind="soft")
    drawing.text(440, 277, "what happened: the stream of outcomes", "name")
    drawing.text(440, 299, "journal  ·  storage  ·  notifiers  ·  logs  ·  metrics", "small")
    drawing.text(452, 238, "sinks only listen: none of them can stall a step", "label", "start")
    return drawing.svg()


def floors() -> list[list[str]]:
    """Return the rooms of each floor of the core, from the contract in ``pyproject.toml``."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(one["layers"] for one in contracts if one.get("containers") == ["cambist"])
    return [[room.strip(" ()") for room in layer.split("|")] for layer in layers if layer != "__main__"]


def house() -> str:
    """Draw the floors of the core."""
    words = {
        "cli": "one file a command",
        "app": "knows every room, and nobody but cli knows it",
        "engine": "step(event) → effects, the order of the stages; no input or output",
        "ports": "what a plugin promises",
        "model": "the nouns",
        "errors": "one tree",
    }
    drawing = Drawing(860, 0)
    y = 10
    for rooms in floors():
        rows = [rooms[start : start + 7] for start in range(0, len(rooms), 7)]
        height = 44 * len(rows) + 8
        drawing.box(10, y, 700, height, kind="soft")
        for number, row in enumerate(rows):
            width = 690 / len(row)
            for place, room in enumerate(row):
                about = f"{room}/" + (f"   {words[room]}" if room in words and len(row) == 1 else "")
                drawing.box(17 + place * width, y + 7 + 44 * number, width - 6, 37)
                drawing.text(14 + (place + 0.5) * width, y + 30 + 44 * number, about, "name")
        y += height + 12
    drawing.height = y
    drawing.arrow((735, 20), (735, y - 20))
    drawing.text(748, y / 2 - LINE, "imports go down,\nnever up and\nnever sideways", "label", "start")
    return drawing.svg()


#: The states in which an order works at the venue; what moves all of them is one arrow.
WORKING = (OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED)
#: And the states in which it is open.
OPEN = (*WORKING, OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE, OrderStatus.UNKNOWN)


def goal(state: OrderStatus, kind: OrderInput) -> str | None:
    """Return where an input leads, with what the order itself decides told in one word; None where it stays."""
    target = TABLE[state].get(kind)
    if target is Marker.FACTS:
        return "facts"
    if target is Marker.UNKNOWN_UNLESS_ACCEPTED:
        return "unknown"
    # REJECTED means that nothing traded; of an order with fills the rest is CANCELED, by the same word of the venue.
    if (
        kind is OrderInput.REJECT
        and target is not state
        and target
        in (
            Marker.REJECTED_UNLESS_FILLED,
            OrderStatus.CANCELED,
        )
    ):
        return "rejected"
    return None if target is None or target is state else str(target)


def moves() -> dict[tuple[str, str], list[str]]:
    """Return the moves of an order: inputs by where from and where to, those of whole groups taken together."""
    sources: dict[tuple[str, str], list[OrderStatus]] = defaultdict(list)
    for state in OrderStatus:
        for kind in OrderInput:
            if target := goal(state, kind):
                sources[str(kind), target].append(state)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (kind, target), states in sources.items():
        left = list(states)
        for name, group in (("open", OPEN), ("working", WORKING)):
            members = [one for one in group if one != target]
            if all(one in left for one in members):
                found[name, target].append(kind)
                left = [one for one in left if one not in members]
        for state in left:
            found[str(state), target].append(kind)
    return dict(found)


@attrs.frozen
class Way:
    """How a move is drawn: its corners, and where what makes it is written."""

    points: tuple[tuple[float, float], ...]
    label: tuple[float, float]
    anchor: str = "middle"
    kind: str = ""
    narrow: bool = False


_BOXES = {
    "created": (2, 118),
    "submitted": (170, 118),
    "accepted": (332, 118),
    "triggered": (494, 118),
    "partially_filled": (656, 118),
    "pending_cancel": (494, 292),
    "pending_replace": (656, 292),
    "unknown": (170, 292),
    "filled": (930, 118),
    "canceled": (930, 196),
    "expired": (930, 274),
    "rejected": (930, 352),
}
_WAYS = {
    ("created", "submitted"): Way(((114, 140), (167, 140)), (133, 132)),
    ("submitted", "accepted"): Way(((282, 140), (329, 140)), (305, 158)),
    ("accepted", "triggered"): Way(((444, 140), (491, 140)), (467, 132)),
    ("working", "partially_filled"): Way(((712, 88), (712, 115)), (706, 104), "end"),
    ("open", "canceled"): Way(((800, 218), (927, 218)), (815, 212), "start"),
    ("open", "expired"): Way(((800, 296), (927, 296)), (815, 290), "start"),
    ("open", "rejected"): Way(((800, 374), (927, 374)), (815, 368), "start"),
    ("working", "pending_cancel"): Way(((522, 202), (522, 289)), (516, 238), "end"),
    ("working", "pending_replace"): Way(((684, 202), (684, 289)), (678, 238), "end"),
    ("pending_cancel", "facts"): Way(((578, 292), (578, 205)), (584, 274), "start"),
    ("pending_replace", "facts"): Way(((740, 292), (740, 205)), (746, 258), "start"),
    ("pending_replace", "pending_cancel"): Way(((656, 322), (609, 322)), (632, 352)),
    ("submitted", "unknown"): Way(((198, 162), (198, 289)), (204, 232), "start", narrow=True),
    ("unknown", "accepted"): Way(((254, 292), (254, 226), (360, 226), (360, 165)), (366, 182), "start"),
    ("created", "rejected"): Way(((58, 162), (58, 424), (986, 424), (986, 399)), (120, 418), "start"),
    ("rejected", "canceled"): Way(((1042, 374), (1062, 374), (1062, 218), (1045, 218)), (1066, 300), "start", "late"),
    ("filled", "facts"): Way(((986, 118), (986, 52), (600, 52), (600, 85)), (810, 46), "middle", "late"),
}


def life() -> tuple[str, list[tuple[str, str, str]]]:
    """Draw the life of an order, and return the moves that the picture leaves out."""
    drawing = Drawing(1092, 440)
    drawing.box(150, 68, 650, 330, kind="soft")
    drawing.text(166, 388, "open: cancel, expire and reject end all of these", "label", "start")
    drawing.box(160, 88, 620, 114, kind="softer")
    drawing.text(172, 106, "at work", "label", "start")
    table = moves()
    for state, (x, y) in _BOXES.items():
        ends = state in {"filled", "canceled", "expired", "rejected"}
        drawing.box(x, y, 112, 44, state, "strong" if ends else "")
    for move, way in _WAYS.items():
        drawing.arrow(*way.points, kind=way.kind)
        words = ",\n".join(table[move]).replace("_", "\n" if way.narrow else " ")
        drawing.text(*way.label, words, "label", way.anchor)
    # A rule above the cells of the table: an order whose fills add up to its size is filled.
    drawing.arrow((768, 140), (927, 140))
    drawing.text(848, 132, "fills add up to its size", "label")
    rest = [(source, ", ".join(kinds), target) for (source, target), kinds in table.items()]
    return drawing.svg(), [one for one in rest if (one[0], one[2]) not in _WAYS]


def pictures() -> dict[str, str]:
    """Return every picture by the name of its file."""
    return {"drivers.svg": drivers(), "flow.svg": flow(), "house.svg": house(), "order-life.svg": life()[0]}


if __name__ == "__main__":
    for name, drawing in pictures().items():
        (FOLDER / name).write_text(drawing, encoding="utf-8")
    for source, kinds, target in life()[1]:
        print(f"not in the picture: {source} -> {target} by {kinds}")
