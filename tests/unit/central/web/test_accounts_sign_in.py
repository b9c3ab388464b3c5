"""Signing in: by password, once by code, and how failures are slowed down."""

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import select

from central.accounts.lockout import FREE_FAILURES
from central.accounts.queries import INVITATION_MS
from central.accounts.roles import Role
from central.accounts.schema import account, invitation, web_session
from central.accounts.sessions import SESSION_IDLE_MS, SESSION_MAX_MS
from central.app import announce_first_start
from central.store.schema import audit
from central.web.access import COOKIE

NAME = "测试民警002"
PASSWORD = "a long enough password"


async def post(client: TestClient, **body: str) -> tuple[int, dict]:
    async with client.post("/api/v1/sessions", json=body) as response:
        return response.status, await response.json()


async def who(client: TestClient) -> int:
    async with client.get("/api/v1/sessions/current") as response:
        return response.status


async def code_for(centre, role: Role = Role.WATCHER) -> str:
    return (await centre.gate.invite(role, "test")).code


async def test_a_code_makes_an_account_of_its_role_once_only(centre) -> None:
    code = await code_for(centre)
    first, second = await centre.visitor(), await centre.visitor()
    status, reply = await post(first, code=code, name=NAME, password=PASSWORD)
    assert (status, reply["user"]["role"], reply["user"]["name"]) == (200, "watcher", NAME)
    status, reply = await post(second, code=code, name="测试民警003", password=PASSWORD)
    assert (status, reply["code"]) == (401, "account.code_refused")
    assert (await who(first), await who(second)) == (200, 401)


async def test_one_code_used_twice_at_the_same_moment_makes_one_account(centre) -> None:
    code = await code_for(centre)
    visitors = [await centre.visitor() for _ in range(4)]
    answers = await asyncio.gather(
        *(post(v, code=code, name=f"测试民警01{n}", password=PASSWORD) for n, v in enumerate(visitors))
    )
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]


async def test_a_code_is_read_in_any_spelling_that_a_person_gives_it(centre) -> None:
    code = (await code_for(centre)).lower().replace("-", " ")
    assert (await post(await centre.visitor(), code=code, name=NAME, password=PASSWORD))[0] == 200


async def test_a_code_expires(centre) -> None:
    code = await code_for(centre)
    centre.clock.now_ms += INVITATION_MS
    status, reply = await post(await centre.visitor(), code=code, name=NAME, password=PASSWORD)
    assert (status, reply["code"]) == (401, "account.code_refused")


async def test_a_short_password_and_a_taken_name_leave_the_code_good(centre) -> None:
    await centre.signed_in(Role.WATCHER, NAME)
    code, visitor = await code_for(centre), await centre.visitor()
    status, reply = await post(visitor, code=code, name="测试民警003", password="short")
    assert (status, reply["path"]) == (422, "body.password")
    status, reply = await post(visitor, code=code, name=NAME, password=PASSWORD)
    assert (status, reply["code"]) == (409, "account.name_taken")
    assert (await post(visitor, code=code, name="测试民警003", password=PASSWORD))[0] == 200


async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(centre) -> None:
    await centre.signed_in(Role.WATCHER, NAME)
    visitor = await centre.visitor()
    wrong_password = await post(visitor, name=NAME, password="not it, not it")
    assert wrong_password == await post(visitor, name="测试民警999", password="not it, not it")
    assert (wrong_password[0], wrong_password[1]["code"]) == (401, "account.wrong_credentials")


async def test_after_five_failures_even_the_right_password_must_wait(centre) -> None:
    await centre.signed_in(Role.WATCHER, NAME)
    visitor = await centre.visitor()
    for _ in range(FREE_FAILURES):
        assert (await post(visitor, name=NAME, password="not it, not it"))[0] == 401
    status, reply = await post(visitor, name=NAME, password=PASSWORD)
    assert (status, reply["code"], reply["wait_s"]) == (429, "account.locked_out", 30)
    centre.clock.now_ms += 30_000
    assert (await post(visitor, name=NAME, password=PASSWORD))[0] == 200


async def test_many_tries_at_once_get_no_more_than_the_free_ones(centre) -> None:
    await centre.signed_in(Role.WATCHER, NAME)
    visitor = await centre.visitor()
    answers = await asyncio.gather(*(post(visitor, name=NAME, password="not it, not it") for _ in range(12)))
    assert sorted(status for status, _ in answers) == [401] * FREE_FAILURES + [429] * (12 - FREE_FAILURES)


async def test_an_address_is_slowed_down_whatever_names_it_tries(centre) -> None:
    visitor = await centre.visitor()
    for n in range(FREE_FAILURES):
        await post(visitor, name=f"测试民警1{n}", password="not it, not it")
    assert (await post(visitor, name="测试民警200", password="not it, not it"))[0] == 429
    assert (await post(visitor, code="AAAA", name="测试民警200", password=PASSWORD))[0] == 429


async def test_a_right_password_forgives_the_failures_before_it(centre) -> None:
    await centre.signed_in(Role.WATCHER, NAME)
    visitor = await centre.visitor()
    for _ in range(3):
        for _ in range(FREE_FAILURES - 1):
            await post(visitor, name=NAME, password="not it, not it")
        assert (await post(visitor, name=NAME, password=PASSWORD))[0] == 200


async def test_signing_out_ends_the_session_itself_not_only_the_cookie(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    token = client.session.cookie_jar.filter_cookies(client.make_url("/"))[COOKIE].value
    async with client.delete("/api/v1/sessions/current") as response:
        assert response.status == 200
    thief = await centre.visitor()
    thief.session.cookie_jar.update_cookies({COOKIE: token}, client.make_url("/"))
    assert await who(thief) == 401


async def test_an_unused_session_ends_and_a_used_one_goes_on(centre) -> None:
    idle, used = await centre.signed_in(Role.WATCHER, "测试民警1"), await centre.signed_in(Role.WATCHER, NAME)
    for _ in range(2):
        centre.clock.now_ms += SESSION_IDLE_MS // 2
        assert await who(used) == 200
    assert await who(idle) == 401


async def test_a_session_ends_a_day_after_its_sign_in_however_much_it_is_used(centre) -> None:
    used = await centre.signed_in(Role.WATCHER, NAME)
    for _ in range(3):
        centre.clock.now_ms += SESSION_MAX_MS // 4
        assert await who(used) == 200
    centre.clock.now_ms += SESSION_MAX_MS // 4
    assert await who(used) == 401


async def test_no_secret_stands_in_the_store(centre) -> None:
    client = await centre.signed_in(Role.WATCHER)
    code = await code_for(centre)
    token = client.session.cookie_jar.filter_cookies(client.make_url("/"))[COOKIE].value
    stored = await centre.store.read(
        lambda conn: str([conn.execute(select(table)).all() for table in (account, invitation, web_session)])
    )
    assert "$argon2id$" in stored
    assert [secret in stored for secret in (PASSWORD, token, code, code.replace("-", ""))] == [False] * 4


async def test_invitations_accounts_and_sign_ins_stand_in_the_audit(centre) -> None:
    await centre.signed_in(Role.WATCHER)
    rows = await centre.store.read(lambda conn: conn.execute(select(audit).order_by(audit.c.id)).all())
    assert [(row.who, row.what, row.object) for row in rows] == [
        ("test", "account.invited", "watcher"),
        ("1", "account.made", "1"),
        ("1", "account.signed_in", "1"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a",
        "a ",
        "a  b",
        "a\nb",
        "a\n",
        "a\u0000b",
        "a\u200b",
        "\u202ea",
        "\u00a8a",
        "x" * 33,
        "\ufdfa" * 4,
    ],
)
async def test_a_name_that_could_pass_for_another_is_refused(centre, name: str) -> None:
    status, reply = await post(await centre.visitor(), code="AAAA", name=name, password=PASSWORD)
    assert (status, reply["path"]) == (422, "body.name")


async def test_one_name_in_two_ways_of_writing_is_one_account(centre) -> None:
    await centre.signed_in(Role.WATCHER, "\uff34\uff11\uff10\uff10")  # full-width T100
    status, reply = await post(await centre.visitor(), name="T100", password=PASSWORD)
    assert (status, reply["user"]["name"]) == (200, "T100")
    code = await code_for(centre)
    status, reply = await post(await centre.visitor(), code=code, name="\uff34100", password=PASSWORD)
    assert (status, reply["code"]) == (409, "account.name_taken")


async def test_the_first_start_prints_one_administrators_code_until_there_is_one(centre, tmp_path, capsys):
    file: Path = tmp_path / "first-sign-in.code"
    await announce_first_start(centre.gate, file)
    old = kept_code(file)
    await announce_first_start(centre.gate, file)
    new = kept_code(file)
    told = capsys.readouterr().out
    assert (old in told, new in told, old == new) == (True, True, False)
    visitor = await centre.visitor()
    assert (await post(visitor, code=old, name=NAME, password=PASSWORD))[0] == 401
    status, reply = await post(visitor, code=new, name=NAME, password=PASSWORD)
    assert (status, reply["user"]["role"]) == (200, "administrator")
    await announce_first_start(centre.gate, file)
    assert "one-time" not in capsys.readouterr().out
    assert list(tmp_path.glob("*.code")) == []


def kept_code(file: Path) -> str:
    assert file.stat().st_mode & 0o777 == 0o600
    return file.read_text().strip()


async def test_an_administrator_invites_over_http_and_a_watcher_cannot(centre) -> None:
    administrator, watcher = (
        await centre.signed_in(Role.ADMINISTRATOR),
        await centre.signed_in(Role.WATCHER, NAME),
    )
    async with watcher.post("/api/v1/invitations", json={"role": "administrator"}) as response:
        assert response.status == 403
    async with administrator.post("/api/v1/invitations", json={"role": "watcher"}) as response:
        reply = await response.json()
    status, signed_in = await post(
        await centre.visitor(), code=reply["code"], name="测试民警003", password=PASSWORD
    )
    assert (status, signed_in["user"]["role"]) == (200, "watcher")
