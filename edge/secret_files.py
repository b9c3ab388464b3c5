"""Which files of a station hold secrets: every key that ends in `_file`, a driver's options included."""

from collections.abc import Iterator

import msgspec

from edge.settings import DeviceSettings, Settings

_ENDING = "_file"


def secret_files(table: msgspec.Struct) -> Iterator[tuple[str, str]]:
    """The key and the file of each secret that a table of the settings names."""
    words = table.options if isinstance(table, DeviceSettings) else msgspec.structs.asdict(table)
    for key, name in words.items():
        if key.endswith(_ENDING) and name:
            yield key, str(name)


def all_secret_files(settings: Settings) -> list[str]:
    """Every file of a secret, each once, in the order of the settings."""
    tables = [settings.broker, settings.media, *settings.device, *settings.camera]
    names = (name for table in tables if table is not None for _, name in secret_files(table))
    return list(dict.fromkeys(names))
