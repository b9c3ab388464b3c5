/** What the centre tells the board: the same shapes as `/api/v1/stations` and the live channel carry.
 * Every `_ms` is a Unix instant in milliseconds, but for `late_ms` and `viewed_ms`, which are durations. */

export interface Name {
  zh: string
  en: string
}
export type Door = 'open' | 'closed' | 'unknown'
export type Picture = 'ok' | 'covered' | 'dark' | 'lost' | 'none' | 'unknown'
export type AlertState = 'UNACK' | 'CLAIMED' | 'REVIEWING' | 'RTN_UNACK' | 'LAPSED' | 'REVIEWED'
export type ReviewResult = 'normal' | 'problem' | 'empty' | 'device_fault'
export type FaultKind =
  | 'station_lost'
  | 'service_stopped'
  | 'point_silent'
  | 'point_disabled'
  | 'picture'
  | 'clock_stepped'
  | 'settings_changed'
  | 'maintenance'
  | 'simulated'
  | 'insecure'
  | 'disk_low'
  | 'journal_touched'
  | 'certificate_expires'
  | 'log_withheld'
  | 'rows_gone'
  | 'epoch_unknown'
  | 'old_version'
  | 'forked'
  | 'two_machines'
  | 'edge_rolled_back'
  | 'store_rolled_back'
  | 'bad_signature'
  | 'key_revoked'

export interface Station {
  id: string
  order: number
  name: Name
  edge: string
  link: 'online' | 'lost' | 'stopped' | 'never'
  link_since_ms: number
  queued: number
  refused: number
}

export interface Room {
  id: string
  station: string
  order: number
  name: Name
  kind: string
  has_camera: boolean
  door: Door
  quality: string
  picture: Picture
  since_ms: number
  simulated: boolean
  session: { id: string; started_ms: number; opens: number } | null
  alert_id: string | null
}

export interface Slot {
  n: number
  lock: Door
  item: 'present' | 'absent' | 'none' | 'unknown'
  quality: string
  since_ms: number
}

export interface Cabinet {
  id: string
  station: string
  name: Name
  slots: Slot[]
}

export interface Alert {
  id: string
  kind: 'patrol'
  station: string
  room: string
  state: AlertState
  level: number
  edge_ms: number
  raised_ms: number
  late_ms: number
  opens: number
  cond: 'OPEN' | 'CLOSED' | 'UNKNOWN'
  owner: { id: string; name: string } | null
  claimed_ms: number | null
  viewed_ms: number
  lapse_at_ms: number
  lapsed: boolean
  result: ReviewResult | null
  /** When the room's use ended; the alert itself ends only by its review. */
  ended_ms: number | null
  rev: number
  chain_pending: boolean
  session: string
}

export interface Fault {
  id: string
  kind: FaultKind
  station: string
  room: string | null
  point: string | null
  detail: string
  since_ms: number
  cleared_ms: number | null
}

export interface Rules {
  min_view_s: number
  decoded_min_s: number
  [rule: string]: number
}

/** Anything the board draws, by its kind. */
export interface Entities {
  station: Station
  room: Room
  cabinet: Cabinet
  alert: Alert
  fault: Fault
}
export type Kind = keyof Entities

export type Change = { [K in Kind]: { seq: number; kind: K; entity: Entities[K]; cause: unknown } }[Kind]

export interface Snapshot {
  type: 'snapshot'
  epoch: string
  seq: number
  server_ms: number
  zone: string
  rules: Rules
  stations: Station[]
  rooms: Room[]
  cabinets: Cabinet[]
  alerts: Alert[]
  faults: Fault[]
}

export type Frame =
  | Snapshot
  | { type: 'resume'; epoch: string; seq: number; server_ms: number }
  | { type: 'changes'; server_ms: number; changes: Change[] }
  | { type: 'hb'; seq: number; server_ms: number }
