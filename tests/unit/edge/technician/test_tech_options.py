"""What is typed is taken as it should be, or refused with a word: never a traceback."""

import pytest
import typer
from typer.testing import CliRunner

from edge.commands import app
from edge.technician.options import parse_address, parse_bauds, parse_units

NO_NUMBERS = ("٣", "３", "9" * 5_000)


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1-٣"])
def test_units_are_digits_of_a_keyboard(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_units(text)


@pytest.mark.parametrize(
    "text", [*(f"192.0.2.1:{port}" for port in NO_NUMBERS), "192.0.2.1:０５０２", ":502"]
)
def test_a_port_is_digits_of_a_keyboard(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_address(text)


@pytest.mark.parametrize("text", ["٩٦٠٠", "9600,９６００", "0", "9" * 5_000])
def test_rates_are_digits_of_a_keyboard(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_bauds(text)


@pytest.mark.parametrize("baud", ["0", "-5", "1199", "921601"])
def test_a_rate_that_no_port_has_is_refused_before_a_port_is_opened(baud: str) -> None:
    result = CliRunner().invoke(app, ["probe", "--serial", "/dev/null", "--baud", baud])
    assert result.exit_code == 2
    assert "--baud" in result.output


@pytest.mark.parametrize("address", ["a..b:502", f"{'a' * 64}:502"])
def test_an_address_that_cannot_be_looked_up_is_no_traceback(address: str) -> None:
    result = CliRunner().invoke(app, ["probe", "--tcp", address, "--units", "1"])
    assert result.exit_code == 74
