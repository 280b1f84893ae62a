"""The life of a signal: what it plans, what it wishes for, and what leads where. Pure."""
