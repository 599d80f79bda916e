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


def commit() -> str:
    """Draw how a step is made durable before anything of it leaves."""
    drawing = Drawing(880, 250)
    boxes = [
        (10, "event", "a fill, a timer, a word"),
        (232, "step", "decides"),
        (454, "commit", "event, wishes, state"),
    ]
    for number, (x, name, about) in enumerate(boxes):
        drawing.box(x, 30, 166, 56, f"{name}\n{about}", "strong" if name == "commit" else "")
        if number:
            drawing.arrow((x - 56, 58), (x - 3, 58))
    drawing.box(454, 150, 166, 56, "disk\none write, one fdatasync", "soft")
    drawing.arrow((537, 86), (537, 147))
    drawing.text(545, 122, "a thread of its own", "label", "start")
    drawing.box(232, 150, 166, 56, "made ready\nwritten out, signed", "soft")
    drawing.arrow((315, 86), (315, 147))
    drawing.text(323, 122, "meanwhile", "label", "start")
    drawing.box(704, 150, 166, 56, "venue\nthe request leaves", "strong")
    drawing.arrow((620, 178), (701, 178))
    drawing.text(661, 170, "it is safe", "label")
    drawing.arrow((315, 206), (315, 232), (787, 232), (787, 209))
    drawing.text(551, 226, "waits for the word that its record is safe", "label")
    return drawing.svg()


def way() -> str:
    """Draw the way of the price through a bar, and what it meets."""
    drawing = Drawing(860, 300)
    points = [(80, 170), (250, 60), (520, 250), (720, 110)]
    drawing.parts.append(
        '<path class="arrow price" d="'
        + " ".join(f"{'L' if number else 'M'}{x} {y}" for number, (x, y) in enumerate(points))
        + '"/>'
    )
    for (x, y), name, above in zip(
        points, ("open", "high: the nearer one", "low", "close"), (1, -1, 1, -1), strict=True
    ):
        drawing.parts.append(f'<circle class="head" cx="{x}" cy="{y}" r="4"/>')
        drawing.text(x, y + (22 if above > 0 else -12), name, "name")
    for y, name, x, word in ((100, "take profit", 188, "1"), (200, "stop", 449, "2")):
        drawing.parts.append(f'<path class="arrow late" d="M20 {y} L840 {y}"/>')
        drawing.text(840, y - 6, name, "label", "end")
        drawing.parts.append(f'<circle class="box strong" cx="{x}" cy="{y}" r="10"/>')
        drawing.text(x, y + 4.5, word, "small")
    drawing.text(
        80,
        290,
        "orders act in the order in which the price reaches them, not in that in which they were sent",
        "label",
        "start",
    )
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
        "deprecations": "names that will go",
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
    "created": (20, 10),
    "submitted": (20, 128),
    "accepted": (164, 128),
    "triggered": (308, 128),
    "partially_filled": (452, 128),
    "unknown": (20, 292),
    "pending_cancel": (308, 292),
    "pending_replace": (452, 292),
    "filled": (706, 128),
    "canceled": (706, 204),
    "expired": (706, 278),
    "rejected": (706, 352),
}
_WAYS = {
    ("created", "submitted"): Way(((72, 54), (72, 125)), (80, 72), "start"),
    ("created", "rejected"): Way(((124, 32), (858, 32), (858, 380), (813, 380)), (136, 26), "start"),
    ("submitted", "accepted"): Way(((124, 150), (161, 150)), (144, 170)),
    ("accepted", "triggered"): Way(((268, 150), (305, 150)), (288, 142)),
    ("working", "partially_filled"): Way(((504, 98), (504, 125)), (498, 115), "end"),
    ("open", "canceled"): Way(((582, 226), (703, 226)), (596, 220), "start"),
    ("open", "expired"): Way(((582, 300), (703, 300)), (596, 294), "start"),
    ("open", "rejected"): Way(((582, 374), (703, 374)), (596, 368), "start"),
    ("working", "pending_cancel"): Way(((334, 212), (334, 289)), (328, 238), "end", narrow=True),
    ("working", "pending_replace"): Way(((478, 212), (478, 289)), (472, 232), "end", narrow=True),
    ("pending_cancel", "facts"): Way(((386, 292), (386, 215)), (392, 270), "start", narrow=True),
    ("pending_replace", "facts"): Way(((530, 292), (530, 215)), (536, 240), "start", narrow=True),
    ("pending_replace", "pending_cancel"): Way(((452, 314), (415, 314)), (432, 354), narrow=True),
    ("submitted", "unknown"): Way(((46, 172), (46, 289)), (52, 234), "start", narrow=True),
    ("unknown", "accepted"): Way(((117, 292), (117, 240), (190, 240), (190, 175)), (196, 192), "start"),
    ("rejected", "canceled"): Way(((810, 362), (822, 362), (822, 226), (813, 226)), (827, 300), "start", "late"),
    ("filled", "facts"): Way(((758, 128), (758, 64), (400, 64), (400, 95)), (600, 58), "middle", "late"),
}


def life() -> tuple[str, list[tuple[str, str, str]]]:
    """Draw the life of an order, and return the moves that the picture leaves out."""
    drawing = Drawing(870, 400)
    drawing.box(8, 78, 574, 312, kind="soft")
    drawing.text(20, 380, "open: cancel, expire and reject end all of these", "label", "start")
    drawing.box(14, 98, 560, 114, kind="softer")
    drawing.text(132, 114, "at work", "label", "start")
    table = moves()
    for state, (x, y) in _BOXES.items():
        ends = state in {"filled", "canceled", "expired", "rejected"}
        drawing.box(x, y, 104, 44, kind="strong" if ends else "")
        drawing.text(x + 52, y + 26.5, state, "state")
    for move, way in _WAYS.items():
        drawing.arrow(*way.points, kind=way.kind)
        words = ",\n".join(table[move]).replace("_", "\n" if way.narrow else " ")
        drawing.text(*way.label, words, "label", way.anchor)
    # A rule above the cells of the table: an order whose fills add up to its size is filled.
    drawing.arrow((556, 150), (703, 150))
    drawing.text(642, 128, "fills add up\nto its size", "label")
    rest = [(source, ", ".join(kinds), target) for (source, target), kinds in table.items()]
    return drawing.svg(), [one for one in rest if (one[0], one[2]) not in _WAYS]


def pictures() -> dict[str, str]:
    """Return every picture by the name of its file."""
    drawn = {"commit": commit, "drivers": drivers, "flow": flow, "house": house, "way": way}
    return {**{f"{name}.svg": draw() for name, draw in drawn.items()}, "order-life.svg": life()[0]}


if __name__ == "__main__":
    for name, drawing in pictures().items():
        (FOLDER / name).write_text(drawing, encoding="utf-8")
