"""What an edge says of itself, made to stand or fall in the store."""

from central.patrol import edge_clock, edge_faults, faults
from central.patrol.due_faults import windows_of
from central.patrol.edge_faults import Verdict
from central.patrol.scene import Scene
from central.store.board_changes import Cause
from contract.messages import Beat, Birth, Mode
from contract.rows import EdgeKind, Row


def apply(scene: Scene, edge: str, verdict: Verdict, now_ms: int, cause: Cause | None = None) -> None:
    """The fault of the edge's station is as the verdict says."""
    subject = faults.Subject(verdict.kind, scene.places.station_of_edge[edge].id)
    if verdict.keeps and verdict.detail is not None:
        faults.report(scene.tx, subject, verdict.detail, now_ms, cause)
    else:
        faults.stand(scene.tx, subject, verdict.detail, now_ms, cause)


def take_modes(scene: Scene, birth: Birth, now_ms: int, *, is_new_session: bool) -> None:
    link = scene.link(birth.edge)
    link.told_seq = birth.seq
    link.in_maintenance = Mode.MAINTENANCE in birth.modes
    for verdict in edge_faults.of_birth(birth, is_new_session=is_new_session):
        apply(scene, birth.edge, verdict, now_ms)


def take_settings(scene: Scene, birth: Birth, now_ms: int) -> None:
    """The first that an edge tells of are its settings; others are a change, whatever its journal says."""
    link = scene.link(birth.edge)
    was, link.config = link.config, birth.config
    if birth.config != was != "" and not _is_permitted(scene, birth.edge, now_ms):
        apply(scene, birth.edge, edge_faults.of_settings(birth.config), now_ms)


def take_clock(scene: Scene, beat: Beat, now_ms: int) -> None:
    link = scene.link(beat.edge)
    judged = edge_clock.after_beat(link.clock_run, link.clock_counted_ms, beat, now_ms)
    link.clock_run, link.clock_counted_ms, verdict = judged
    if verdict is not None:
        apply(scene, beat.edge, verdict, now_ms)


def take_row(scene: Scene, edge: str, row: Row, now_ms: int, cause: Cause) -> None:
    """A row of no point. What is older than the newest birth tells nothing of the edge's present mode."""
    link = scene.link(edge)
    link.enter(cause.epoch)
    if row.kind == EdgeKind.CLOCK_STEPPED:
        link.clock_run, link.clock_counted_ms = edge_clock.RUN, now_ms
    if row.seq > link.told_seq and row.kind in {EdgeKind.MAINTENANCE_BEGAN, EdgeKind.MAINTENANCE_ENDED}:
        link.in_maintenance = row.kind == EdgeKind.MAINTENANCE_BEGAN
    is_permitted = row.kind == EdgeKind.CONFIG_CHANGED and _is_permitted(scene, edge, now_ms, row.at)
    verdict = edge_faults.of_row(row, is_permitted=is_permitted)
    if verdict is not None:
        apply(scene, edge, verdict, now_ms, cause)


def _is_permitted(scene: Scene, edge: str, *instants_ms: int) -> bool:
    """One permission to maintain covers all of these."""
    return any(
        all(window.is_open(at_ms) for at_ms in instants_ms) for window in windows_of(scene.tx.conn, edge)
    )
