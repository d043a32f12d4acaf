"""The Features page, view by view: each is a module with ``render(desk)``."""
