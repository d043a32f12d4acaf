"""The checks of the linter, by subject. Importing this package registers them, in the order in which they are reported."""

from importlib import import_module

QUESTIONS = ("enough", "carried", "happened", "costs", "stretched", "counted")

for _name in QUESTIONS:
    import_module(f"{__name__}.{_name}")
