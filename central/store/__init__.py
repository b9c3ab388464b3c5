"""The centre's store: one writer, many readers, SQLite or PostgreSQL behind the same queries."""
