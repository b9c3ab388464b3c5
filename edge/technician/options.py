"""Options of a technician's command as they are typed, into what they mean."""

import typer

from edge.technician import probing
from edge.technician.probing import is_number


def parse_units(text: str) -> tuple[int, ...]:
    """`1-32,255`."""
    try:
        return probing.parse_units(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--units") from None


def parse_bauds(text: str) -> tuple[int, ...]:
    """`9600,19200`; empty: none."""
    rates = [part.strip() for part in text.split(",") if part.strip()]
    wrong = next((rate for rate in rates if not is_number(rate) or not 1200 <= int(rate) <= 921_600), None)
    if wrong is not None:
        raise typer.BadParameter(f"{wrong!r} is no baud rate from 1200 to 921600", param_hint="--bauds")
    return tuple(map(int, rates))


def parse_address(text: str) -> tuple[str, int]:
    """`192.0.2.20:502`, or a host alone, whose port is then 502."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, 502
    if not host or not is_number(port) or not 1 <= int(port) <= 65_535:
        raise typer.BadParameter(f"{text!r} is no HOST:PORT", param_hint="--tcp")
    return host.strip("[]"), int(port)
