"""What holds for all tests."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: while a browser lives, playwright's own event loop runs and no other may."""
    items.sort(key=lambda item: "browser" in item.path.parts[:-1])
