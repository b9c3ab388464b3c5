"""The monitor in the case-management centre (案管中心): ingest, store, patrol, board."""
