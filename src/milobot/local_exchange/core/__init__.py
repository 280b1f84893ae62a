"""The exchange itself, free of any dialect: market, accounts, orders, matching, truth."""
