"""Random expressions, each made by the grammar's own productions; and such with a letter changed, most of which are wrong."""

from __future__ import annotations

import random

FEATURES = {"sma": ("window",), "rsi": ("window",), "channel_high": ("window",), "true_range": ()}
LETTERS = "ab_c01.9 ()<>=!+-*/@,HM$é\t"


class Drawn:
    def __init__(self, seed: int, longer: bool = True) -> None:
        self.rng, self.longer = random.Random(seed), longer

    def condition(self, depth: int = 4) -> str:
        return self.joined("or", lambda: self.joined("and", lambda: self.negated(depth), 0.3), 0.25)

    def wrong(self) -> str:
        text = self.condition(self.rng.randint(1, 4))
        for _ in range(self.rng.randint(1, 3)):
            at = self.rng.randrange(len(text) + 1)
            text = text[:at] + self.rng.choice(["", self.rng.choice(LETTERS), text[at : at + 4] * 2]) + text[at + self.rng.randint(0, 2) :]
        return text

    def joined(self, mark: str, part, again: float) -> str:
        text = part()
        while self.rng.random() < again:
            text += f" {mark} {part()}"
        return text

    def negated(self, depth: int) -> str:
        return "not " * (self.rng.random() < 0.2) + self.test(depth)

    def test(self, depth: int) -> str:
        kind = self.rng.random()
        if depth > 1 and kind < 0.2:
            return f"({self.condition(depth - 1)})"
        if depth > 1 and kind < 0.35:
            return f"{self.rng.choice(['within', 'held'])}({self.condition(depth - 2)}, {self.rng.randint(1, 4)}){self.frame(0.15)}"
        if depth > 1 and kind < 0.45:
            return f"{self.rng.choice(['cross_above', 'cross_below'])}({self.number(depth - 1)}, {self.number(depth - 1)}){self.frame(0.15)}"
        return f"{self.number(depth - 1)} {self.rng.choice(['<', '<=', '>', '>=', '==', '!='])} {self.number(depth - 1)}"

    def number(self, depth: int) -> str:
        text = self.product(depth)
        while self.rng.random() < 0.25:
            text += self.rng.choice([" + ", " - ", "+", "-"]) + self.product(depth)
        return text

    def product(self, depth: int) -> str:
        text = self.factor(depth)
        while self.rng.random() < 0.2:
            text += self.rng.choice([" * ", " / ", "*", "/"]) + self.factor(depth)
        return text

    def factor(self, depth: int) -> str:
        kind, rng = self.rng.random(), self.rng
        if kind < 0.08:
            return f"-{self.factor(depth)}"
        if depth <= 0 or kind < 0.3:
            return rng.choice(["close", "open", "high", "low", "volume", "close", f"{rng.randint(0, 3)}", "0.5", "close" + self.frame(1), "true_range", f"sma({rng.randint(1, 5)}){self.frame(0.2)}", "rsi(window=3)", "channel_high(2)"])
        if kind < 0.4:
            return f"({self.number(depth - 1)})"
        if kind < 0.5:
            return f"abs({self.number(depth - 1)}){self.frame(0.1)}"
        if kind < 0.6:
            return f"{rng.choice(['min', 'max'])}({self.number(depth - 1)}, {self.number(depth - 1)})"
        name = rng.choice(["lag", "mean", "sum", "deviation", "highest", "lowest", "change"])
        return f"{name}({self.number(depth - 1)}, {rng.choice(['', 'n='])}{rng.randint(1, 5)}){self.frame(0.15)}"

    def frame(self, share: float) -> str:
        return f"@{self.rng.choice(['M15', 'H1'])}" if self.longer and self.rng.random() < share else ""
