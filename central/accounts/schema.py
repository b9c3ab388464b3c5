"""Tables of accounts, sessions, invitations and failed sign-ins. Secrets stand in them as hashes only."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

from central.store.schema import Id, metadata

account = Table(
    "account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(32), nullable=False),
    Column("password_hash", String(256), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

web_session = Table(
    "web_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("began_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
)

invitation = Table(
    "invitation",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("role", String(32), nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_by", ForeignKey("account.id"), nullable=True),
    Column("used_ms", BigInteger, nullable=True),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("subject", String(128), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
)
