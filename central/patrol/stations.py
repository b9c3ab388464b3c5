"""A station's link to the centre: heard, born again, lost. Losing one clears nothing that was raised."""

from central.board_model import LinkState
from central.patrol import edge_faults, edge_words, faults
from central.patrol.engine import CONDITION, UNTOLD, PointState
from central.patrol.facts import stand_point_faults
from central.patrol.places import CabinetPlace, RoomPlace
from central.patrol.scene import Scene
from contract.messages import Beat, Birth, Mode, Status
from contract.messages import PointState as ToldState
from contract.points import VALUES


def take_beat(scene: Scene, beat: Beat, now_ms: int) -> bool:
    """A sign of life. False for a beat of an older session than the newest birth's."""
    link = scene.link(beat.edge)
    link.enter(beat.epoch)
    if beat.session < link.session:
        return False
    is_news = link.queued != beat.queued
    link.queued = beat.queued
    _set_link(scene, beat.edge, "online", now_ms, is_news=is_news)
    edge_words.take_clock(scene, beat, now_ms)
    return True


def take_birth(scene: Scene, birth: Birth, now_ms: int) -> bool:
    """How every point stands, as of row `birth.seq`. False for a birth of an older session."""
    link = scene.link(birth.edge)
    link.enter(birth.epoch)
    if birth.session < link.session:
        return False
    is_new_session, link.session = birth.session > link.session, birth.session
    edge_words.take_settings(scene, birth, now_ms)
    edge_words.take_modes(scene, birth, now_ms, is_new_session=is_new_session)
    told = {point.id: point for point in birth.points}
    known = scene.places.points_of(birth.edge)
    faults.end_of_gone(scene.tx, scene.places.station_of_edge[birth.edge].id, known, now_ms)
    for name, state in scene.points(birth.edge, known).items():
        place = scene.places.of(birth.edge, name)
        assert place is not None
        if birth.epoch != state.epoch or birth.seq >= state.seq:
            state.epoch, state.seq = birth.epoch, birth.seq
            _tell(state, place, told.get(name))
            stand_point_faults(scene, place, state, now_ms)
        if Mode.SIMULATED in birth.modes or is_new_session:
            state.simulated = Mode.SIMULATED in birth.modes
    if not _set_link(scene, birth.edge, "online", now_ms, is_news=True):
        _show_places(scene, birth.edge, now_ms)
    return True


def take_status(scene: Scene, status: Status, now_ms: int) -> bool:
    """A goodbye, the edge's own or its will. False where it says nothing: an older session's, or `online`."""
    link = scene.link(status.edge)
    if status.state != "offline" or status.session < link.session:
        return False
    if status.reason != "stop":
        lose(scene, status.edge, now_ms, "connection")
    elif link.state != "never":
        _set_link(scene, status.edge, "stopped", now_ms, is_news=False)
    return True


def lose(scene: Scene, edge: str, now_ms: int, why: str = "silent") -> None:
    """失联: the station's tiles are unknown from now on."""
    if scene.link(edge).state == "online":
        _set_link(scene, edge, "lost", now_ms, why)


def refuse(scene: Scene, edge: str, count: int) -> None:
    """So many more of its messages were refused."""
    scene.link(edge).refused += count
    scene.show_station(edge)


def refuse_version(scene: Scene, edge: str, version: str, now_ms: int) -> bool:
    """It speaks another version of the wire than ours: until it is born in ours. Nobody has signed that, so
    False for one that is heard in ours: it says nothing.
    """
    if scene.link(edge).state == "online":
        return False
    edge_words.apply(scene, edge, edge_faults.Verdict("old_version", f"version {version}"), now_ms)
    return True


def _tell(state: PointState, place: RoomPlace | CabinetPlace, told: ToldState | None) -> None:
    """A point as the birth tells it. Of one that it does not tell of nothing is known any more."""
    if told is None:
        state.quality = UNTOLD
        return
    state.value = told.value if told.value in VALUES[place.type_of(state.point)] else ""
    state.quality, state.since_ms = told.quality, told.since


def _set_link(
    scene: Scene, edge: str, state: LinkState, now_ms: int, why: str = "", *, is_news: bool = False
) -> bool:
    """True where that is a turn; then every place of the station is shown anew."""
    link = scene.link(edge)
    has_turned = link.state != state
    if has_turned:
        link.state, link.since_ms = state, now_ms
        for verdict in edge_faults.of_link(state, why):
            edge_words.apply(scene, edge, verdict, now_ms)
        _show_places(scene, edge, now_ms)
    if has_turned or is_news:
        scene.show_station(edge)
    return has_turned


def _show_places(scene: Scene, edge: str, now_ms: int) -> None:
    station = scene.places.station_of_edge[edge]
    for room in station.rooms:
        now = scene.room(room.id)
        for use in now.patrol.stand(CONDITION[now.door], now_ms):
            scene.show_alert(use)
        scene.show_room(room.id)
    for cabinet in station.cabinets:
        scene.show_cabinet(scene.places.cabinets[cabinet.id])
