"""Names, units and directions of the scores that reports write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.kit.figures import DASH, number, percent


@dataclass(frozen=True)
class Score:
    """``better``: 1 where more is better, −1 where less is, 0 where neither. ``reference``: its value without skill, if it has one."""

    title: str
    places: int
    better: int
    meaning: str
    reference: float | None = None
    unit: str = ""


SCORES: Mapping[str, Score] = {
    "brier": Score("Brier", 4, -1, "Mean squared difference between probability and outcome; 0 is perfect."),
    "log_loss": Score("Log loss", 4, -1, "Mean negative log of the probability given to what happened, in nats."),
    "auc": Score("ROC AUC", 3, 1, "Chance that a yes has a higher probability than a no; 0.5 is no skill.", 0.5),
    "pr_auc": Score("PR AUC", 3, 1, "Average precision; without skill it is the share of yes."),
    "calibration_error": Score("Calibration error", 4, -1, "Mean difference between predicted and observed share, over bins of equal count."),
    "rank_ic": Score("Rank IC", 3, 1, "Spearman's correlation of forecast and outcome; 0 is no skill.", 0.0),
    "accuracy": Score("Accuracy", 3, 1, "Share of samples whose most probable class happened."),
    "pinball": Score("Pinball", 6, -1, "Quantile loss, mean over the levels, in the unit of the target."),
    "crps": Score("CRPS", 6, -1, "Continuous ranked probability score from the quantiles, in the unit of the target."),
    "coverage": Score("Coverage", 3, 0, "Share of outcomes inside the widest interval."),
    "nominal": Score("Nominal", 3, 0, "Share of outcomes that the widest interval promises to hold."),
    "width": Score("Width", 6, -1, "Mean width of the widest interval, in the unit of the target."),
    "mae": Score("MAE", 6, -1, "Mean absolute error, in the unit of the target."),
    "mse": Score("MSE", 8, -1, "Mean squared error, in the squared unit of the target."),
    "crossed": Score("Crossed", 4, -1, "Share of rows whose quantiles were not in order before they were sorted."),
    "rate": Score("Rate", 3, 0, "Share of yes."),
    "predicted": Score("Predicted", 3, 0, "Mean probability; it should be near the rate."),
    "mean_r": Score("Mean R, all", 3, 1, "Mean result of every signal, net of costs.", 0.0, "R"),
    "mean_r_taken": Score("Mean R, filtered", 3, 1, "Mean result of what the filter takes, net of costs, for each unit risked.", 0.0, "R"),
    "sum_r": Score("Sum of R, all", 1, 1, "Sum of the results of every signal, net of costs.", 0.0, "R"),
    "sum_r_taken": Score("Sum of R, filtered", 1, 1, "Sum of the results of what the filter takes, net of costs.", 0.0, "R"),
    "win_rate": Score("Win rate, all", 3, 1, "Share of signals above 0 R."),
    "win_rate_taken": Score("Win rate, filtered", 3, 1, "Share of the signals taken above 0 R."),
    "taken": Score("Taken", 0, 0, "Signals that the filter takes."),
    "signals": Score("Signals", 0, 0, "Signals whose R is known."),
}  # fmt: skip
SHOWN = (       # in tables, in this order; all of them are in the files
    "auc", "crps", "brier", "log_loss", "calibration_error", "pinball", "coverage", "width", "rank_ic", "accuracy", "mae", "mean_r", "mean_r_taken", "taken", "sum_r", "sum_r_taken", "crossed",
)  # fmt: skip
SHARES = ("coverage", "nominal", "rate", "predicted", "accuracy", "win_rate", "win_rate_taken")


def score(name: str) -> Score:
    """Its definition; of a name that is not listed, its words.

    >>> score("brier").title, score("my_score").title
    ('Brier', 'My score')
    """
    return SCORES.get(name) or Score(name.replace("_", " ").capitalize(), 4, 0, "")


def titled(name: str) -> str:
    return score(name).title


def written(name: str, value: float | None) -> str:
    """A score as text, with its unit.

    >>> written("auc", 0.5574), written("mean_r_taken", -0.1411), written("coverage", 0.7999), written("brier", None)
    ('0.557', '\u22120.141\u202fR', '80.0\u202f%', '\u2014')
    """
    if value is None:
        return DASH
    measured = score(name)
    if name in SHARES:
        return percent(value)
    text = number(value, measured.places, bool(measured.unit))
    return f"{text}\u202f{measured.unit}" if measured.unit and text != DASH else text
