"""Prop-firm and regulatory rules over account histories."""
