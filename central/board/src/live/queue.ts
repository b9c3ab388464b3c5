/** The order in which rooms wait, and the numbers over the board. Pure. */

import { alarmOf, shownFaults } from './alarms'
import type { Alert } from './entities'
import type { BoardModel } from './model'
import { formatDay } from './ages'

const UNCLAIMED = new Set(['UNACK', 'RTN_UNACK'])
const SOONER: Partial<Record<Alert['state'], number>> = { LAPSED: 0, RTN_UNACK: 0 }

/** Still in time and nobody's: it blinks and sounds. */
export function isUnclaimed(alert: Alert): boolean {
  return UNCLAIMED.has(alert.state)
}

/** Nobody's, in time or not. */
export function isWaiting(alert: Alert): boolean {
  return isUnclaimed(alert) || (alert.state === 'LAPSED' && alert.owner === null)
}

/** Waiting before taken; then level, then those whose people have left or whose time is over, then age. */
export function queueOrder(alerts: readonly Alert[]): Alert[] {
  const rank = (alert: Alert): number[] => [
    isWaiting(alert) ? 0 : 1,
    -alert.level,
    SOONER[alert.state] ?? 1,
    alert.raised_ms,
  ]
  return [...alerts].sort((a, b) => compare(rank(a), rank(b)) || a.id.localeCompare(b.id))
}

function compare(a: readonly number[], b: readonly number[]): number {
  const differing = a.findIndex((value, i) => value !== b[i])
  return differing < 0 ? 0 : a[differing]! - b[differing]!
}

export interface Totals {
  waiting: number
  oldestMs: number | null
  reviewing: number
  offline: number
  faults: number
  /** Of these, how many put in doubt what is shown or stored. */
  security: number
}

/** `oldestMs`: since when the longest waiting alert waits, by the centre's clock. */
export function totals(model: BoardModel): Totals {
  const alerts = Object.values(model.alerts)
  const waiting = alerts.filter(isWaiting)
  const faults = shownFaults(Object.values(model.faults))
  return {
    waiting: waiting.length,
    oldestMs: waiting.length > 0 ? Math.min(...waiting.map((alert) => alert.raised_ms)) : null,
    reviewing: alerts.filter((alert) => alert.owner !== null).length,
    offline: Object.values(model.stations).filter((station) => station.link !== 'online').length,
    faults: faults.length,
    security: faults.filter((fault) => alarmOf(fault).level === 'security').length,
  }
}

/** Live alerts that lapsed on the day of `nowMs` in the centre's zone. */
export function lapsedOn(alerts: readonly Alert[], nowMs: number, zone: string): string[] {
  const day = formatDay(nowMs, zone)
  return alerts
    .filter((alert) => alert.lapsed && formatDay(alert.lapse_at_ms, zone) === day)
    .map(({ id }) => id)
}
