/** What a room's tile shows, and where it stands: that depends on what exists, never on what happens. Pure. */

import { shownFaults } from './alarms'
import type { Alert, AlertState, Door, Fault, Room, Station } from './entities'
import type { BoardModel } from './model'

export type TileState = AlertState | 'FAULT' | 'UNKNOWN' | 'IN_USE' | 'NORMAL'

export interface Tile {
  room: Room
  station: Station
  alert: Alert | null
  faults: Fault[]
  state: TileState
  /** Nothing is known of the room now: shown hatched, whatever else is shown. */
  isUnknown: boolean
  door: Door
}

const KNOWN_QUALITY = new Set(['good', 'simulated'])

export function tileOf(model: BoardModel, room: Room, station: Station): Tile {
  const alert = Object.values(model.alerts).find((candidate) => candidate.room === room.id) ?? null
  const faults = shownFaults(Object.values(model.faults)).filter((fault) => fault.room === room.id)
  const isUnknown = station.link !== 'online' || !KNOWN_QUALITY.has(room.quality) || room.door === 'unknown'
  return {
    room,
    station,
    alert,
    faults,
    isUnknown,
    state: alert?.state ?? quietState(room, faults, isUnknown),
    door: station.link === 'online' ? room.door : 'unknown',
  }
}

/** `after`, or `before` where nothing of it has changed: a tile that stays the same object is not drawn again. */
export function kept(before: Tile | undefined, after: Tile): Tile {
  if (!before) return after
  const isSame =
    before.room === after.room &&
    before.station === after.station &&
    before.alert === after.alert &&
    before.faults.length === after.faults.length &&
    before.faults.every((fault, i) => fault === after.faults[i])
  return isSame ? before : after
}

function quietState(room: Room, faults: readonly Fault[], isUnknown: boolean): TileState {
  if (isUnknown) return 'UNKNOWN'
  if (faults.length > 0) return 'FAULT'
  return room.session ? 'IN_USE' : 'NORMAL'
}

export interface Row {
  station: Station
  places: (Room | null)[]
}
export interface Matrix {
  /** The kind of room in each column; empty where rooms stand simply one after another. */
  kinds: string[]
  width: number
  rows: Row[]
}

/** Columns beyond this are too narrow to read; rooms then stand in their own order and wrap. */
const COLUMNS_MAX = 10

export function matrixOf(model: BoardModel): Matrix {
  const stations = Object.values(model.stations).sort((a, b) => a.order - b.order || a.id.localeCompare(b.id))
  const rooms = Object.values(model.rooms).sort((a, b) => a.order - b.order || a.id.localeCompare(b.id))
  const roomsOf = (station: Station): Room[] => rooms.filter((room) => room.station === station.id)
  const kinds = columnKinds(stations.map(roomsOf))
  if (kinds.length > COLUMNS_MAX) {
    return {
      kinds: [],
      width: COLUMNS_MAX,
      rows: stations.map((station) => ({ station, places: roomsOf(station) })),
    }
  }
  return {
    kinds,
    width: kinds.length,
    rows: stations.map((station) => ({ station, places: placed(roomsOf(station), kinds) })),
  }
}

/** Each kind as often as the station that has most of it, in the order in which kinds first stand. */
function columnKinds(stations: readonly Room[][]): string[] {
  const most = new Map<string, number>()
  for (const rooms of stations) {
    for (const room of rooms) {
      const count = rooms.filter((other) => other.kind === room.kind).length
      most.set(room.kind, Math.max(most.get(room.kind) ?? 0, count))
    }
  }
  return [...most].flatMap(([kind, count]) => Array<string>(count).fill(kind))
}

function placed(rooms: readonly Room[], kinds: readonly string[]): (Room | null)[] {
  const left = [...rooms]
  return kinds.map((kind) => {
    const at = left.findIndex((room) => room.kind === kind)
    return at < 0 ? null : left.splice(at, 1)[0]!
  })
}
