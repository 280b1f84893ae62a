"""The inbox: puts messages on record and has the engine trade what they ask for."""
