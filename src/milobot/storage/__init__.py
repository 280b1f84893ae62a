"""Databases: candles today, the ledger later."""
