"""The script language: what is allowed, what it means, where it runs."""
