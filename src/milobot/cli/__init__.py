"""Commands: parse arguments, call the application, print."""
