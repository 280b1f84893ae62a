"""Talking back to people: what happened as sentences, and what they ask for."""
