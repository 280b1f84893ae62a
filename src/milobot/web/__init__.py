"""The page and its API: health, chart data and the push channel."""
