"""Pictures of rooms: pulled once from a station however many watch, each viewing written down."""
