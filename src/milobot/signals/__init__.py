"""From the text of a message to one reading of it: deterministic rules, no I/O, no clock."""
