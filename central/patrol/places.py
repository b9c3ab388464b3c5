"""What exists, by every name it is asked for: the stations' settings, turned round once at start."""

from msgspec import Struct

from central.settings import CabinetSettings, RoomSettings, StationSettings
from contract.points import PointType


class RoomPlace(Struct, frozen=True):
    """A room where it stands: its station, its edge, its place on the board."""

    station: str
    edge: str
    order: int
    room: RoomSettings

    @property
    def all_points(self) -> tuple[str, ...]:
        """Its doors' and its camera's."""
        return (*self.room.doors, self.room.camera) if self.room.camera else self.room.doors

    def type_of(self, point: str) -> PointType:
        return PointType.PICTURE if point == self.room.camera else PointType.DOOR


class CabinetPlace(Struct, frozen=True):
    station: str
    edge: str
    cabinet: CabinetSettings

    def points(self, slot: int) -> tuple[str, ...]:
        """The lock's point of a slot, and the item sensor's where the cabinet has them."""
        lock, item = f"{self.cabinet.id}.s{slot:02}.lock", f"{self.cabinet.id}.s{slot:02}.item"
        return (lock, item) if self.cabinet.items else (lock,)

    @property
    def all_points(self) -> tuple[str, ...]:
        """Of every slot."""
        return tuple(point for slot in range(1, self.cabinet.slots + 1) for point in self.points(slot))

    def type_of(self, point: str) -> PointType:
        return PointType(point.rpartition(".")[2])


class Places:
    """Rooms, cabinets and stations by id, by edge and by point."""

    def __init__(self, stations: tuple[StationSettings, ...]) -> None:
        self.stations = stations
        self.station_of_edge = {station.edge: station for station in stations}
        self.order = {station.id: order for order, station in enumerate(stations)}
        self.rooms = {
            room.id: RoomPlace(station.id, station.edge, order, room)
            for station in stations
            for order, room in enumerate(station.rooms)
        }
        self.cabinets = {
            cabinet.id: CabinetPlace(station.id, station.edge, cabinet)
            for station in stations
            for cabinet in station.cabinets
        }
        self._rooms_by_point = {
            (place.edge, point): room_id
            for room_id, place in self.rooms.items()
            for point in place.all_points
        }
        self._cabinets_by_point = {
            (place.edge, point): cabinet_id
            for cabinet_id, place in self.cabinets.items()
            for point in place.all_points
        }

    def points_of(self, edge: str) -> list[str]:
        """Every point that this edge has to speak for."""
        return [point for at, point in (*self._rooms_by_point, *self._cabinets_by_point) if at == edge]

    def of(self, edge: str, point: str) -> RoomPlace | CabinetPlace | None:
        """The room or cabinet a point belongs to, and only if this edge may speak for it."""
        return self.room_of(edge, point) or self.cabinet_of(edge, point)

    def has_lock(self, edge: str, point: str) -> bool:
        """Whether that is the lock of a slot that this edge has."""
        cabinet = self.cabinet_of(edge, point)
        return cabinet is not None and cabinet.type_of(point) is PointType.LOCK

    def edge_of_lock(self, point: str) -> str | None:
        """The edge that has this slot's lock."""
        return next((edge for edge in self.station_of_edge if self.has_lock(edge, point)), None)

    def room_of(self, edge: str, point: str) -> RoomPlace | None:
        """The room a point belongs to, and only if this edge may speak for it."""
        room_id = self._rooms_by_point.get((edge, point))
        return self.rooms[room_id] if room_id else None

    def cabinet_of(self, edge: str, point: str) -> CabinetPlace | None:
        """The cabinet a point belongs to, and only if this edge may speak for it."""
        cabinet_id = self._cabinets_by_point.get((edge, point))
        return self.cabinets[cabinet_id] if cabinet_id else None
