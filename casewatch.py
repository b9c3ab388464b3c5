"""The `casewatch` command: finds its parts by entry point, loads only the one that was asked for."""

import sys
from importlib.metadata import entry_points

GROUP = "casewatch.commands"


def main() -> None:
    """Run `casewatch PART …`, PART being one of the parts installed with this package."""
    parts = {entry.name: entry for entry in entry_points(group=GROUP)}
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in parts:
        listing = "\n".join(f"  casewatch {part} --help" for part in sorted(parts))
        out = sys.stdout if name in {"--help", "-h"} else sys.stderr
        out.write(f"casewatch 案管哨: edge gateway and central monitor. Parts:\n{listing}\n")
        sys.exit(0 if out is sys.stdout else 2)
    sys.argv = [f"casewatch {name}", *sys.argv[2:]]
    try:
        parts[name].load()()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
