"""`casewatch edge doctor`: looks at everything, says each with its mend, never stops at the first fault."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from rich.text import Text

from device_drivers.site import TCP_KINDS
from edge import data_folder, settings_check
from edge.settings import Settings
from edge.technician import doctor_identity, doctor_journal, doctor_machine, doctor_network, screen
from edge.technician.finding import Finding, Verdict

_STYLES = {
    Verdict.OK: screen.GREEN,
    Verdict.DOUBTFUL: screen.YELLOW,
    Verdict.FAULT: screen.RED,
}


def run(settings_file: Path, *, is_json: bool) -> bool:
    """Whether there is no fault."""
    findings = asyncio.run(_examine(settings_file, is_json=is_json))
    counts = {verdict.value: sum(f.verdict is verdict for f in findings) for verdict in Verdict}
    if is_json:
        screen.print_json({"findings": findings, "counts": counts})
    else:
        screen.print_line(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return not counts[Verdict.FAULT]


async def _examine(settings_file: Path, *, is_json: bool) -> list[Finding]:
    findings = []
    async for finding in _findings(settings_file):
        findings.append(finding)
        if not is_json:
            _print(finding)
    return findings


async def _findings(settings_file: Path) -> AsyncIterator[Finding]:
    checked = settings_check.check(settings_file)
    yield _settings(checked)
    settings = checked.settings or settings_check.as_written(settings_file)
    if settings is None:
        return  # nothing is known of what there should be
    agent, finding = _agent(settings)
    yield finding
    yield doctor_machine.check_clock()
    for finding in [*doctor_machine.check_disk(settings), *doctor_machine.check_secrets(settings)]:
        yield finding
    for bus in settings.bus:
        if bus.kind not in TCP_KINDS:
            yield doctor_machine.check_port(bus, agent)
    for finding in await doctor_network.check_lines(settings):
        yield finding
    for finding in doctor_journal.check_journal(settings):
        yield finding
    held, finding = doctor_identity.check_identity(settings)
    yield finding
    if held is not None and agent is not None:
        yield await doctor_identity.check_handshake(settings.broker, held)
        return
    for finding in await doctor_network.check_broker(settings.broker, held):
        yield finding


def _settings(checked: settings_check.CheckedSettings) -> Finding:
    faults = [str(problem) for problem in checked.problems if not problem.is_warning]
    if faults:
        return Finding("settings", Verdict.FAULT, "; ".join(faults), "casewatch edge check")
    if checked.problems:
        text = "; ".join(map(str, checked.problems))
        return Finding("settings", Verdict.DOUBTFUL, text, "casewatch edge check")
    return Finding("settings", Verdict.OK, "no fault")


def _agent(settings: Settings) -> tuple[int | None, Finding]:
    try:
        agent = data_folder.holder(settings.data_dir)
    except OSError as error:
        mend = "run this as the agent's user or as root"
        return None, Finding("agent", Verdict.FAULT, f"{settings.data_dir}: {error.strerror}", mend)
    return agent, doctor_journal.check_agent(agent)


def _print(finding: Finding) -> None:
    text = Text().append(f"{finding.verdict:<14} ", _STYLES[finding.verdict])
    text.append(f"{finding.area}: ", "bold").append(finding.text)
    screen.print_line(text)
    if finding.mend:
        screen.print_line(Text(f"{'':<14}   → {finding.mend}", screen.DIM))
