"""What an edge said last, and what that makes of what it says next. Pure.

A journal gives each start of its edge another session number, each process another instance, each message
another n. So a word that was said before is known as old whenever it comes, and two processes that speak in
turns are two machines with one identity: whichever is the copy.
"""

from msgspec import Struct
from msgspec.structs import replace

from contract.messages import Beat, Birth

RETURNS_MAX = 2
"""A former process may be heard once more after its successor: what it had said may have been on its way."""


class Witness(Struct, frozen=True):
    """`former` is the process before; `returns`: how often a former one spoke anew.

    `receipted`: the newest receipt that the edge has shown and our store does not hold; 0 for none.
    """

    epoch: int
    session: int
    n: int
    instance: str
    former: str = ""
    former_session: int = 0
    former_n: int = 0
    returns: int = 0
    beat: int = 0
    receipted: int = 0
    base: int = 0
    base_hash: str = ""
    """Where the edge's journal begins now: the newest row that it has no more."""

    @property
    def is_doubled(self) -> bool:
        return self.returns >= RETURNS_MAX


def hear(known: Witness | None, said: Birth | Beat) -> Witness | None:
    """The witness after a word of the edge; None where the word is old and says nothing."""
    if known is None or known.epoch != said.epoch:
        return _moved(Witness(said.epoch, said.session, said.n, said.instance), said)
    if _is_old(known, said):
        return _met(known, said) if _is_stranger(known, said) else None
    if said.instance in {known.instance, ""}:
        return _moved(known, said)
    former = replace(
        known,
        former=known.instance,
        former_session=known.session,
        former_n=known.n,
        returns=_returns(known, said),
        beat=0,
    )
    return _moved(former, said)


def _is_old(known: Witness, said: Birth | Beat) -> bool:
    """Said before what was heard of the same process; or by a process of an earlier start."""
    if said.instance and said.instance == known.instance:
        return said.n <= known.n
    if said.instance and said.instance == known.former:
        return said.place <= (known.former_session, known.former_n)
    return said.session < known.session


def _is_stranger(known: Witness, said: Birth | Beat) -> bool:
    return said.instance not in {known.instance, known.former, ""}


def _met(known: Witness, said: Birth | Beat) -> Witness:
    """An earlier start that we do not remember, as after a restore: late, or it lives and goes on."""
    return replace(known, former=said.instance, former_session=said.session, former_n=said.n)


def _returns(known: Witness, said: Birth | Beat) -> int:
    """Only the older start counts as returned: that the newer one speaks on after it is no wonder."""
    if said.session == known.session:
        return RETURNS_MAX
    if said.instance == known.former:
        return known.returns + (said.session < known.session)
    return 0


def _moved(known: Witness, said: Birth | Beat) -> Witness:
    moved = replace(known, session=said.session, n=said.n, instance=said.instance)
    if isinstance(said, Beat):
        return replace(moved, beat=said.beat)
    return replace(moved, base=said.base, base_hash=said.base_hash or "")
