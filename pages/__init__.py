"""One file, one page: PAGE is its place in the menu, render(desk) draws it."""
