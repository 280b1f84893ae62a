"""BingX USDT-margined perpetuals: requests, mapping, outcomes, streams."""
