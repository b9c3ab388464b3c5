"""Faults over HTTP: what a person may end, by whom it is answered for, and what is refused."""

import msgspec
import pytest
from sqlalchemy import select

from central.accounts.roles import Role
from central.patrol import faults
from central.patrol.faults import Subject
from central.patrol.schema import fault
from central.store.schema import audit
from central.trust import witnesses
from central.trust.witness import RETURNS_MAX, Witness


async def raised(centre, kind: str, detail: str) -> str:
    await centre.store.write(lambda tx: faults.stand(tx, Subject(kind, "liuxu"), detail, 1_000))
    found = select(fault.c.id).where(fault.c.kind == kind, fault.c.cleared_ms.is_(None))
    return str(await centre.store.read(lambda conn: conn.scalar(found)))


async def settle(client, fault_id: str, **body: object) -> tuple[int, dict]:
    async with client.post(f"/api/v1/faults/{fault_id}/settle", json=body) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("role", list(Role))
async def test_who_settles_a_fault_answers_for_it_by_name_with_a_reason(centre, role: Role) -> None:
    person = await centre.signed_in(role, "陈静")
    fault_id = await raised(centre, "journal_touched", "row 3")
    assert (await settle(person, fault_id, reason=""))[0] == 422
    assert (await settle(person, fault_id, reason="  "))[1]["code"] == "fault.reason_needed"
    status, reply = await settle(person, fault_id, reason="备份程序所为，已核实")
    assert (status, reply["fault"]["kind"]) == (200, "journal_touched")
    assert reply["fault"]["cleared_ms"] is not None
    row = (await centre.store.read(lambda conn: conn.execute(select(fault)).all()))[-1]
    assert (row.settled_by, row.settled_reason) == ("陈静", "备份程序所为，已核实")
    told = select(audit).where(audit.c.what == "fault.settled")
    (entry,) = await centre.store.read(lambda conn: conn.execute(told).all())
    assert (entry.object, entry.reason, entry.who) == (fault_id, "备份程序所为，已核实", "1")
    assert msgspec.json.decode(entry.detail)["kind"] == "journal_touched"


async def test_a_fault_that_ends_with_its_cause_is_settled_by_nobody(centre) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    fault_id = await raised(centre, "station_lost", "silent")
    status, reply = await settle(watcher, fault_id, reason="很烦人")
    assert (status, reply["code"]) == (422, "fault.ends_itself")
    async with watcher.get("/api/v1/faults") as response:
        assert [one["id"] for one in (await response.json())["faults"]] == [fault_id]


async def test_of_two_who_settle_a_fault_the_second_is_told_and_nothing_is_written_twice(centre) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    fault_id = await raised(centre, "forked", "epoch 7")
    assert (await settle(watcher, fault_id, reason="已查"))[0] == 200
    status, reply = await settle(watcher, fault_id, reason="又查")
    assert (status, reply["code"]) == (409, "fault.gone")
    for nothing in ("9" * 30, "77", "x"):
        status, reply = await settle(watcher, nothing, reason="已查")
        assert (status, reply["code"]) == (404, "fault.not_found")
    rows = await centre.store.read(lambda conn: conn.execute(select(audit.c.reason)).all())
    assert [row.reason for row in rows if "查" in row.reason] == ["已查"]


async def test_a_settled_double_is_counted_anew_and_not_raised_again_by_the_next_beat(centre) -> None:
    watcher = await centre.signed_in(Role.WATCHER)
    fault_id = await raised(centre, "two_machines", "session 2")
    doubled = Witness(1, 2, 9, "a" * 32, returns=RETURNS_MAX)
    await centre.store.write(lambda tx: witnesses.keep(tx.conn, "liuxu", doubled))
    assert (await settle(watcher, fault_id, reason="备机已收回"))[0] == 200
    witness = await centre.store.read(lambda conn: witnesses.read(conn, "liuxu"))
    assert witness is not None
    assert not witness.is_doubled
