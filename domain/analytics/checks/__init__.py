"""The checks of the linter, by subject. Importing this package registers them, in the order in which they are reported."""

from importlib import import_module

SUBJECTS = ("sample_size", "concentration", "realism", "costs", "account", "counted")

for _name in SUBJECTS:
    import_module(f"{__name__}.{_name}")
