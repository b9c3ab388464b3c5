"""A module of a make that is known only by its profile: it answers what the profile says, so that an
installer can rehearse a new model. It proves the settings, not the model.
"""

import tomllib
from pathlib import Path
from typing import Any

from simulators.module_map import Cells, ModuleMap, Use

PREFIX = "profile:"
FOLDERS = (Path("config/profiles"), Path(__file__).parents[1] / "config" / "profiles")


def profile_map(make: str) -> ModuleMap | None:
    """The map of `profile:NAME`; None where there is no such profile, or it is of no module with inputs."""
    name = make.removeprefix(PREFIX)
    path = next((folder / f"{name}.toml" for folder in FOLDERS if (folder / f"{name}.toml").is_file()), None)
    if path is None or not make.startswith(PREFIX):
        return None
    try:
        return _mapped(make, tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError):
        return None


def _mapped(make: str, profile: dict[str, Any]) -> ModuleMap:
    inputs, level = int(profile["inputs"]), profile["level"]
    tables: dict[int, Cells] = {1: {}, 2: {}, 3: {}, 4: {}}
    if level["function"] in {1, 2}:
        tables[level["function"]] |= {level["address"] + n: (Use.LEVEL, n) for n in range(inputs)}
    else:
        tables[level["function"]] |= {level["address"]: (Use.LEVELS, 0)}
    if counters := profile.get("counters"):
        tables[counters.get("function", level["function"])] |= _counters(counters, inputs)
    if latches := profile.get("latches"):
        first, step = latches["address"], latches.get("stride", 1)
        places = range(first, first + step * inputs)
        tables[latches["function"]] |= dict.fromkeys(places, (Use.OVERFLOW, 0))  # what lies between
        tables[latches["function"]] |= {place: (Use.LATCH, n) for n, place in enumerate(places[::step])}
    coils, discretes, holding, words = (tables[function] for function in (1, 2, 3, 4))
    return ModuleMap(make, inputs, coils, discretes, holding, words)


def _counters(counters: dict[str, Any], inputs: int) -> Cells:
    start = counters["address"]
    if counters.get("bits", 32) == 16:
        return {start + n: (Use.COUNT, n) for n in range(inputs)}
    is_high_first = counters["word_order"] == "high_first"
    first, second = (Use.COUNT_HIGH, Use.COUNT_LOW) if is_high_first else (Use.COUNT_LOW, Use.COUNT_HIGH)
    return {
        start + 2 * n + place: (use, n) for n in range(inputs) for place, use in enumerate((first, second))
    }
