"""Parameters that several learners have, each declared once: ``epochs: int = shared_params.epochs(10)``."""

from __future__ import annotations

from functools import partial

from domain.params import param

PATIENCE = "rounds without a lower validation loss before it stops; 0 never stops early"

# of boosted trees
trees = partial(param, low=1, high=5_000, title="Trees")
tree_share = partial(param, low=0.001, high=1.0, title="Learning rate", help="how much of each tree is added")
leaves = partial(param, low=2, high=1_024, title="Leaves", help="most leaves of a tree")
min_leaf = partial(param, low=1, high=100_000, unit="samples", title="Samples in a leaf", help="least samples of a leaf")
columns_share = partial(param, low=0.05, high=1.0, title="Share of columns", help="share of the columns that each tree may use, drawn at random")
rows_share = partial(param, low=0.1, high=1.0, title="Share of rows")
leaf_penalty = partial(param, low=0.0, high=1e6, title="Penalty", help="weight of the squared leaf values")
tree_patience = partial(param, low=0, high=5_000, unit="rounds", title="Patience", help=PATIENCE)

# of networks
window = partial(param, low=2, high=256, unit="bars", title="Window", help="bars of history, the deciding bar the last of them")
batch = partial(param, low=8, high=8_192, unit="samples", title="Batch", help="samples of a step")
step_size = partial(param, low=1e-6, high=1.0, title="Learning rate", help="size of a step")
epochs = partial(param, low=1, high=1_000, title="Epochs", help="passes over the training part, at most")
patience = partial(param, low=0, high=1_000, unit="rounds", title="Patience", help=PATIENCE)
decay = partial(param, low=0.0, high=10.0, title="Weight decay", help="how fast weights shrink towards zero")
device = partial(param, choices=("auto", "cpu", "gpu"), title="Device", help="auto: a GPU where there is one; its fits are marked not reproducible")
