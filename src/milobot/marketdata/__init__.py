"""Candles from files and generators, checked and resampled."""
