"""The Binance USD-M dialect of the local exchange."""
