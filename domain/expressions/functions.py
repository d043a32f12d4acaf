"""The functions of the language: what each takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

NUMBER, CONDITION, COUNT = "number", "condition", "count"
LONGEST_WINDOW = 1_000      # bars of a function's n


@dataclass(frozen=True)
class Function:
    """``takes``: parameter -> number, condition or count (a written n). ``bars``: rows before the present one that it reads, for its n."""

    name: str
    takes: dict[str, str]
    gives: str
    about: str
    reading: str
    reaches: int = 0            # 0: the present bar; 1: the bar before too; 2: n − 1 bars before; 3: n bars before

    def before(self, n: int) -> int:
        return (0, 1, n - 1, n)[self.reaches]


XN, XY, CN = dict(x=NUMBER, n=COUNT), dict(x=NUMBER, y=NUMBER), dict(condition=CONDITION, n=COUNT)
FUNCTIONS = {
    function.name: function
    for function in (
        Function("lag", XN, NUMBER, "x as it was n bars ago.", "{x} as of {n} ago", 3),
        Function("mean", XN, NUMBER, "Mean of x over the last n bars, the present one included.", "the mean of {x} over the last {n}", 2),
        Function("sum", XN, NUMBER, "Sum of x over the last n bars, the present one included.", "the sum of {x} over the last {n}", 2),
        Function("deviation", XN, NUMBER, "Standard deviation of x over the last n bars, divided by n.", "the standard deviation of {x} over the last {n}", 2),
        Function("highest", XN, NUMBER, "Highest x of the last n bars, the present one included.", "the highest {x} of the last {n}", 2),
        Function("lowest", XN, NUMBER, "Lowest x of the last n bars, the present one included.", "the lowest {x} of the last {n}", 2),
        Function("change", XN, NUMBER, "x less x as it was n bars ago.", "the change of {x} over {n}", 3),
        Function("abs", dict(x=NUMBER), NUMBER, "x without its sign.", "the size of {x}"),
        Function("min", XY, NUMBER, "The smaller of x and y.", "the smaller of {x} and {y}"),
        Function("max", XY, NUMBER, "The larger of x and y.", "the larger of {x} and {y}"),
        Function("cross_above", XY, CONDITION, "x is above y, and was not above it on the bar before.", "{x} crosses above {y}", 1),
        Function("cross_below", XY, CONDITION, "x is below y, and was not below it on the bar before.", "{x} crosses below {y}", 1),
        Function("within", CN, CONDITION, "The condition is true on at least one of the last n bars, the present one included.", "within the last {n} it was true that {condition}", 2),
        Function("held", CN, CONDITION, "The condition is true on each of the last n bars, the present one included.", "for the last {n} it was true that {condition}", 2),
    )
}
