"""An exchange server for tests and demos that speaks the wire dialects of two exchanges."""
