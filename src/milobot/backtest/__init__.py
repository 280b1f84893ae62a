"""Back-tests: the engine over recorded candles, and the report."""
