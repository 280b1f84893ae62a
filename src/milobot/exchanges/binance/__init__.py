"""Binance USD-M perpetuals."""
