"""Indicators over whole series: causal, NaN-padded, as long as their input."""
