"""Exchange clients: one transport, limits and streams; one package per wire dialect."""
