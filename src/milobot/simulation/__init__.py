"""A venue inside the process: fills, fees, funding and liquidation on candles."""
