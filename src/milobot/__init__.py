"""A trading bot for perpetual futures: scripts and signals, one engine."""
