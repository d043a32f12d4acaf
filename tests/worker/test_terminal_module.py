"""Code of a user's module that fails is named by its own file, line and message, with exit status 2 and no traceback of ours."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from domain.features import FEATURES
from domain.strategies import STRATEGIES
from worker import cli

FEATURE = 'from domain.features.base import feature\n@feature(unit="price", source="own")\ndef user_one(close, *, window: int = 5):\n    """Mine."""\n    '
STRATEGY = (
    "from dataclasses import dataclass\nfrom domain.strategies.base import strategy\n@strategy('user_two')\n@dataclass(frozen=True)\nclass Two:\n    '''Mine.'''\n"
    "    def features(self):\n        return ()\n    def signals(self, frame):\n        "
)


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Runs the gate on a module of this text; exit status and stderr."""
    ts = pd.date_range("2024-01-02", periods=40, freq="h", tz="UTC")
    close = 1.1 + np.arange(40) * 1e-4
    pd.DataFrame(dict(ts=ts.strftime("%Y-%m-%dT%H:%M:%SZ"), open=close, high=close, low=close, close=close)).to_csv(tmp_path / "bars.csv", index=False)

    def run(text: str) -> tuple[int, str]:
        (tmp_path / "mine.py").write_text(text)
        monkeypatch.setattr(sys, "argv", ["tidemark", "features", "check", "--bars", str(tmp_path / "bars.csv"), "--module", str(tmp_path / "mine.py")])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code, capsys.readouterr().err

    yield run
    for registry in (FEATURES, STRATEGIES):
        for name in [name for name in registry if name.startswith("user_")]:
            del registry._things[name]
    sys.modules.pop("module_mine", None)


@pytest.mark.parametrize(
    "text, sentence",
    [
        (FEATURE + "return close.rolling(window).mean()\n", "mine.py, line 5: AttributeError: 'numpy.ndarray' object has no attribute 'rolling' (columns are numpy arrays; use numpy, or pd.Series(column).rolling)"),
        (FEATURE + "return 1 / 0\n", "mine.py, line 5: ZeroDivisionError: division by zero"),
        (FEATURE + "return close[:3]\n", "mine.py: user_one(5) gave 3 numbers for 40 bars; a feature gives one value a bar"),
        (FEATURE + "return None\n", "mine.py: user_one(5) gave nothing for 40 bars"),
        (FEATURE + "return ['a'] * len(close)\n", "mine.py: user_one(5) gave values that are not numbers (list)"),
        (FEATURE + "import numpy as np\n    return np.zeros((len(close), 2))\n", "gave a table of 40 × 2 for 40 bars"),
        (FEATURE + "return close.astype(complex)\n", "mine.py: user_one(5) gave values that are not numbers (ndarray)"),
        (FEATURE + "raise type('Odd', (Exception,), dict(__str__=lambda self: 1 / 0))()\n", "mine.py, line 5: Odd: no message that can be shown"),
        ("import nosuchthing\n", "mine.py, line 1: ModuleNotFoundError: No module named 'nosuchthing'"),
        ("x = (\n", "mine.py, line 1: SyntaxError: '(' was never closed"),
        ("\n\nraise RuntimeError('not\\nyet')\n", "mine.py, line 3: RuntimeError: not yet"),
        ("import sys\nsys.exit(0)\n", "mine.py, line 2: SystemExit: 0"),
        (STRATEGY + "return frame['nope']\n", "mine.py, line 10: KeyError: 'nope'"),
        (STRATEGY + "return None\n", "Two.signals gave nothing; it must give a DataFrame"),
        (STRATEGY + "import pandas as pd\n        return pd.DataFrame(dict(ts=['soon'], side=['long']))\n", "Two.signals gave a ts that holds no times in UTC"),
        (STRATEGY.replace("return ()", "return ('atr(14)',)") + "return frame\n", "Two.features gave 'atr(14)'; write use('atr', window=14), with use from domain.features"),
        (STRATEGY.replace("return ()", "return 5") + "return frame\n", "Two.features gave 5; it must give a tuple such as (use('atr', window=14),), or () for none"),
        (STRATEGY.replace("return ()", "yield 1 / 0") + "return frame\n", "mine.py, line 8: ZeroDivisionError: division by zero"),
        (STRATEGY.replace("'''Mine.'''", "x: int") + "return frame\n", "mine.py, line 3: TypeError: Two.x has no default; write x = param(default, help=…)"),
        (STRATEGY.replace("@dataclass(frozen=True)\n", "") + "return frame\n", "mine.py, line 3: TypeError: Two is no dataclass; write @dataclass(frozen=True) between @strategy('user_two') and the class"),
        ("x = 1\0\n", "mine.py is not Python in UTF-8"),
        (STRATEGY + "return frame[['close']]\n", "Two.signals gave the columns close; each signal needs at least ts and side"),
    ],
    ids=range(22),
)
def test_what_fails_is_named_by_file_line_and_message(check, text, sentence):
    status, message = check(text)
    assert status == 2 and message.startswith("tidemark: ") and sentence in message
    assert "Traceback" not in message and message.count("\n") == 1
