"""One file, one page: PAGE says where it stands in the menu, render(desk) draws it."""
