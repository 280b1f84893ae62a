"""Channel audit: a channel's past messages, read and traded over the candles of their time."""
