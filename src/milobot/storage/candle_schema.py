"""Tables of the candle database, as the steps that led to them."""

from milobot.storage.sqlite import Migration

_CANDLES: Migration = (
    """CREATE TABLE series (
        series_id INTEGER PRIMARY KEY,
        source TEXT NOT NULL,
        symbol TEXT NOT NULL,
        timeframe TEXT NOT NULL,
        UNIQUE (source, symbol, timeframe)
    )""",
    # Without a rowid the rows lie in order of time in the tree itself: one lookup, one scan.
    """CREATE TABLE candles (
        series_id INTEGER NOT NULL REFERENCES series,
        open_time INTEGER NOT NULL,
        open REAL NOT NULL,
        high REAL NOT NULL,
        low REAL NOT NULL,
        close REAL NOT NULL,
        volume REAL NOT NULL,
        PRIMARY KEY (series_id, open_time)
    ) WITHOUT ROWID""",
)
# Decimals are TEXT: SQLite would turn them into floats.
_RULES: Migration = (
    """CREATE TABLE symbol_rules (
        source TEXT NOT NULL,
        symbol TEXT NOT NULL,
        tick_size TEXT,
        quantity_step TEXT NOT NULL,
        min_quantity TEXT NOT NULL,
        max_market_quantity TEXT,
        min_notional TEXT NOT NULL,
        PRIMARY KEY (source, symbol)
    ) WITHOUT ROWID""",
    """CREATE TABLE leverage_brackets (
        source TEXT NOT NULL,
        symbol TEXT NOT NULL,
        position INTEGER NOT NULL,
        notional_floor TEXT NOT NULL,
        notional_cap TEXT NOT NULL,
        max_leverage INTEGER NOT NULL,
        maintenance_margin_rate TEXT NOT NULL,
        maintenance_amount TEXT NOT NULL,
        PRIMARY KEY (source, symbol, position)
    ) WITHOUT ROWID""",
)
# What the exchange itself lacks, so that nobody asks for it again.
_GAPS: Migration = (
    """CREATE TABLE known_gaps (
        source TEXT NOT NULL,
        symbol TEXT NOT NULL,
        timeframe TEXT NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        PRIMARY KEY (source, symbol, timeframe, first_ms)
    ) WITHOUT ROWID""",
)

MIGRATIONS: tuple[Migration, ...] = (_CANDLES, _RULES, _GAPS)
