"""Which tags are there: from what the antennas of one reader hear, round after round. Pure.

A tag flickers: turned away, shadowed by a hand, drowned by its neighbours. It is gone only when every
antenna has missed it in `misses` rounds that were sound and whole. An antenna that is off, or a reader that
is silent, says nothing about any tag: what it heard is forgotten, and unknown until it hears again. Several
antennas may hear one tag; it belongs to the one that hears it best.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from device_drivers.driver import Fault, Observation

DOUBT_FACTOR = 2
"""Unseen for so many times `misses` rounds that were not all whole: no longer "there", unknown."""


Epc = Annotated[str, Meta(pattern=r"^([0-9A-F]{4}){1,31}\Z")]
TAG_POINTS = {"tag": ("item",), "antenna": ("tamper",)}
"""What points on a reader's channels may be."""
_TAG_CHANNEL = re.compile(r"^tag:((?:[0-9A-F]{4}){1,31})\Z")


class TagOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reference_tags`: EPCs of tags that are glued to the cabinet. An antenna that hears none of them is
    off, even where its reader cannot tell.
    """

    misses: Annotated[int, Meta(ge=1, le=100)] = 3
    reference_tags: tuple[Epc, ...] = ()


def epcs(channels: Iterable[str]) -> tuple[str, ...]:
    """The EPCs of those channels that are tags."""
    matches = (_TAG_CHANNEL.match(channel) for channel in channels)
    return tuple(match[1] for match in matches if match)


class _Ear(msgspec.Struct):
    """One antenna's memory of one tag. `rssi` is None while it does not hold the tag for present."""

    rssi: int | None = None
    unseen: int = 0
    missed: int = 0
    """Of the rounds it was unseen in, those that were whole."""


class Presence:
    """Tags (their EPCs) before antennas (their numbers). `tells_antenna`: the reader says when one is off."""

    def __init__(
        self, tags: Iterable[str], antennas: Sequence[int], options: TagOptions, *, tells_antenna: bool
    ) -> None:
        self._tags = {epc: {antenna: _Ear() for antenna in antennas} for epc in tags}
        self._options = options
        self._references = frozenset(options.reference_tags)
        self._tells_antenna = tells_antenna or bool(options.reference_tags)
        self._deaf_rounds = dict.fromkeys(antennas, 0)
        self._off: set[int] = set()

    def channels(self, antenna: int) -> tuple[str, ...]:
        """Everything of which a round of this antenna may tell."""
        tags = tuple(f"tag:{epc}" for epc in self._tags)
        return (*tags, f"antenna:{antenna}") if self._tells_antenna else tags

    def wants_more(self, antenna: int, seen: Collection[str]) -> bool:
        """Whether something that should be heard was not: then listening again is worth it."""
        is_deaf = bool(self._references) and self._references.isdisjoint(seen)
        return is_deaf or any(
            self._home(ears) == antenna and epc not in seen for epc, ears in self._tags.items()
        )

    def hear(self, antenna: int, seen: Mapping[str, int], *, is_whole: bool) -> list[Observation]:
        """A round: EPC to signal strength. Not `is_whole`: there may have been more than came through."""
        is_deaf = bool(self._references) and self._references.isdisjoint(seen)
        self._deaf_rounds[antenna] = self._deaf_rounds[antenna] + 1 if is_deaf else 0
        if self._deaf_rounds[antenna] >= self._options.misses:
            return self.lose(antenna)
        if not is_deaf:
            self._off.discard(antenna)
        if antenna in self._off:
            return self.lose(antenna)
        for epc, ears in self._tags.items():
            self._note(ears[antenna], seen.get(epc), is_whole=is_whole and not is_deaf)
        return self._tell(antenna)

    def forget(self, antenna: int) -> None:
        """A round brought no answer: nothing is taken for there until heard again. Misses still count."""
        for ears in self._tags.values():
            ears[antenna].rssi = None

    def lose(self, antenna: int) -> list[Observation]:
        """The antenna is off, and what it heard worth nothing."""
        self._off.add(antenna)
        for ears in self._tags.values():
            ears[antenna] = _Ear()
        return self._tell(antenna)

    def _note(self, ear: _Ear, rssi: int | None, *, is_whole: bool) -> None:
        if rssi is not None:
            ear.rssi, ear.unseen, ear.missed = rssi, 0, 0
            return
        ear.unseen += 1
        ear.missed += is_whole
        if self._is_gone(ear) or self._is_doubtful(ear):
            ear.rssi = None

    def _is_gone(self, ear: _Ear) -> bool:
        return ear.missed >= self._options.misses

    def _is_doubtful(self, ear: _Ear) -> bool:
        return not self._is_gone(ear) and ear.unseen >= DOUBT_FACTOR * self._options.misses

    def _tell(self, antenna: int) -> list[Observation]:
        """What is known of this antenna and its tags, and of those that belong to none."""
        told = []
        for epc, ears in self._tags.items():
            home = self._home(ears)
            if home == antenna:
                told.append(Observation(f"tag:{epc}", active=True))
            elif home is None and (self._off or any(map(self._is_doubtful, ears.values()))):
                told.append(Observation(f"tag:{epc}", active=False, fault=Fault.DEVICE_ERROR))
            elif home is None and all(map(self._is_gone, ears.values())):
                told.append(Observation(f"tag:{epc}", active=False))
        if self._tells_antenna:
            told.append(Observation(f"antenna:{antenna}", active=antenna in self._off))
        return told

    def _home(self, ears: Mapping[int, _Ear]) -> int | None:
        """The antenna that hears the tag best; None where none does."""
        heard = [(ear.rssi, -antenna) for antenna, ear in ears.items() if ear.rssi is not None]
        return -max(heard)[1] if heard else None
