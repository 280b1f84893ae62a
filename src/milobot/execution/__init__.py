"""The one core: intents in, order updates back, protection always."""
