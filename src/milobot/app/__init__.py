"""Composition root: puts the parts together and runs them."""
