/** How grave each kind of fault is, who ends it, and which are worth a line now. Pure.
 * The centre's `central/patrol/alarms.py` says the same; a test holds both equal. */

import type { Fault, FaultKind, Station } from './entities'

export type AlarmLevel = 'security' | 'fault' | 'notice'
export interface Alarm {
  level: AlarmLevel
  /** It stands until a person settles it with a reason. */
  byPerson?: true
}

export const ALARMS: Record<FaultKind, Alarm> = {
  station_lost: { level: 'fault' },
  service_stopped: { level: 'fault' },
  point_silent: { level: 'fault' },
  point_disabled: { level: 'fault' },
  picture: { level: 'fault' },
  clock_stepped: { level: 'fault' },
  settings_changed: { level: 'security', byPerson: true },
  maintenance: { level: 'notice' },
  simulated: { level: 'notice' },
  insecure: { level: 'security' },
  disk_low: { level: 'fault' },
  journal_touched: { level: 'security', byPerson: true },
  certificate_expires: { level: 'fault' },
  log_withheld: { level: 'security' },
  rows_gone: { level: 'security' },
  epoch_unknown: { level: 'security' },
  old_version: { level: 'fault' },
  forked: { level: 'security', byPerson: true },
  two_machines: { level: 'security', byPerson: true },
  edge_rolled_back: { level: 'security', byPerson: true },
  store_rolled_back: { level: 'security' },
  bad_signature: { level: 'security', byPerson: true },
  key_revoked: { level: 'security', byPerson: true },
}

const UNHEARD: Alarm = { level: 'fault' }
const RANK: Record<AlarmLevel, number> = { security: 0, fault: 1, notice: 2 }
const AWAY = new Set<FaultKind>(['station_lost', 'service_stopped'])
const OF_POINTS = new Set<FaultKind>(['point_silent', 'point_disabled', 'picture'])

/** A centre newer than this page may tell of a kind that it does not know. */
export function alarmOf(fault: Fault): Alarm {
  return ALARMS[fault.kind] ?? UNHEARD
}

/** The gravest first, then the newest. A station that is away explains its own points, and nothing else. */
export function shownFaults(faults: readonly Fault[]): Fault[] {
  const away = new Set(faults.filter((fault) => AWAY.has(fault.kind)).map((fault) => fault.station))
  return faults
    .filter((fault) => !(OF_POINTS.has(fault.kind) && away.has(fault.station)))
    .sort((a, b) => RANK[alarmOf(a).level] - RANK[alarmOf(b).level] || b.since_ms - a.since_ms)
}

/** What stands of the station itself, beside its link, which its head tells anyway. */
export function faultsOfStation(faults: readonly Fault[], station: Station): Fault[] {
  const own = faults.filter((fault) => fault.station === station.id && fault.room === null && !fault.point)
  return shownFaults(own).filter((fault) => !AWAY.has(fault.kind))
}

/** Older ones were on the board before anybody could have heard them begin. */
const NEW_MS = 60_000

/** Those that a person has to hear of at once: hands on the evidence, and a station that is gone. */
export function suddenFaults(faults: readonly Fault[], nowMs: number): Fault[] {
  return faults.filter(
    (fault) =>
      nowMs - fault.since_ms < NEW_MS &&
      fault.kind !== 'insecure' &&
      (AWAY.has(fault.kind) || alarmOf(fault).level === 'security'),
  )
}
