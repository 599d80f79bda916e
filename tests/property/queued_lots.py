"""Our orders in a recorded book, told by lining up every lot: the slow twin of `cambist.simulation.BookReplay`."""

from __future__ import annotations

from collections import defaultdict

from cambist.model.orders import Side, TimeInForce

OTHERS = 0


class LinedUp:
    """Queues as runs of lots, ``[whose, how many]``, whose 0 are the others'; others who cancel leave from the back."""

    def __init__(self):
        self.lines = defaultdict(list)  # (side, price) -> runs
        self.taken = defaultdict(int)  # what we took of a level since its size was told
        self.terms = {}  # resting orders of ours: number -> (side, price), oldest first
        self.fills = []  # (number, price, lots)

    def others(self, side, price):
        return sum(lots for whose, lots in self.lines[side, price] if whose == OTHERS)

    def ahead(self, number):
        total = 0
        for whose, lots in self.lines[self.terms[number]]:
            if whose == number:
                return total
            total += lots if whose == OTHERS else 0
        raise AssertionError(number)

    def left(self, number):
        return dict(self.lines[self.terms[number]])[number]

    def consume(self, number, price, lots):
        line = self.lines[self.terms[number]]
        run = next(run for run in line if run[0] == number)
        run[1] -= lots
        self.fills.append((number, price, lots))
        if not run[1]:
            line.remove(run)
            del self.terms[number]

    def trim(self, side, price, size):
        """Have others leave from the back until `size` lots of theirs are left."""
        surplus = self.others(side, price) - size
        line = self.lines[side, price]
        for run in reversed(line):
            if run[0] == OTHERS and surplus > 0:
                gone = min(run[1], surplus)
                run[1] -= gone
                surplus -= gone
        line[:] = [run for run in line if run[1]]

    def met_by(self, side, price):
        """Our orders that somebody on `side` with that limit would trade with, best and oldest first."""
        met = [
            (number, at)
            for number, (own, at) in self.terms.items()
            if own is not side and (price is None or (at <= price if side is Side.BUY else at >= price))
        ]
        return sorted(met, key=lambda one: one[1] if side is Side.BUY else -one[1])

    def to_front(self, number):
        line = self.lines[self.terms[number]]
        line.sort(key=lambda run: run[0] == OTHERS)

    def level(self, side, price, size):
        came = max(0, size - self.others(side, price))
        self.trim(side, price, size)
        self.taken[side, price] = 0
        if came:
            self.lines[side, price].append([OTHERS, came])
            for number, at in self.met_by(side, price):
                got = min(came, self.left(number))
                self.to_front(number)
                came -= got
                self.taken[side, price] += got
                if got:
                    self.consume(number, at, got)

    def trade(self, taker, price, size):
        side, volume = taker.opposite, size
        known = self.others(side, price)
        for number, at in self.met_by(taker, price):
            if at != price:
                self.to_front(number)
                got = min(volume, self.left(number))
                volume -= got
                if got:
                    self.consume(number, at, got)
        for run in list(self.lines[side, price]):
            got = min(volume, run[1])
            volume -= got
            if run[0] == OTHERS:
                run[1] -= got
            elif got:
                self.consume(run[0], price, got)
        self.trim(side, price, max(0, known - size))

    def submit(self, order):
        """Take an order; tell whether it rests."""
        buys = order.side is Side.BUY
        own = self.met_by(order.side, None)
        stop = own[0][1] if own else None
        reach = []
        for side, price in self.lines:
            if side is order.side or (
                order.price is not None and (price > order.price) is buys and price != order.price
            ):
                continue
            if stop is not None and (price >= stop if buys else price <= stop):
                continue
            live = self.others(side, price) - self.taken[side, price]
            if live > 0:
                reach.append((price, live))
        blocked = bool(self.met_by(order.side, order.price))
        if order.post_only and (reach or blocked):
            return False
        if order.time_in_force is TimeInForce.FOK and sum(live for _, live in reach) < order.size:
            return False
        wanted = order.size
        for price, live in sorted(reach, reverse=not buys):
            got = min(wanted, live)
            if got:
                wanted -= got
                self.taken[order.side.opposite, price] += got
                self.fills.append((order.id, price, got))
        if not wanted or blocked or not order.may_rest:
            return False
        place = max(0, self.others(order.side, order.price) - self.taken[order.side, order.price])
        line, before = [], 0
        for whose, lots in self.lines[order.side, order.price]:
            here = min(lots, place - before) if whose == OTHERS else lots
            before += here if whose == OTHERS else 0
            line += [[whose, here]] if here else []
        behind = self.others(order.side, order.price) - place
        line += [[order.id, wanted]] + ([[OTHERS, behind]] if behind else [])
        self.lines[order.side, order.price] = line
        self.terms[order.id] = (order.side, order.price)
        return True

    def cancel(self, number):
        if number in self.terms:
            line = self.lines[self.terms.pop(number)]
            line[:] = [run for run in line if run[0] != number]
