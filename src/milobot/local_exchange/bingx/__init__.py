"""The BingX swap dialect of the local exchange."""
