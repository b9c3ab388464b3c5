"""The agent at a station: reads the points, keeps the journal, and delivers it to the centre."""
