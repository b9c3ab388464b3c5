/** The mark of an alert: one of the five looks that a watcher learns on the first day. */

import type { Alert } from '../live/entities'
import { isUnclaimed } from '../live/queue'

export type Mark = 'level1' | 'level2' | 'level3' | 'lapsed' | 'seen'

export function markOf(alert: Alert): Mark {
  if (alert.owner) return 'seen'
  if (alert.state === 'LAPSED') return 'lapsed'
  return alert.level >= 3 ? 'level3' : alert.level === 2 ? 'level2' : 'level1'
}

/** Classes that carry the mark's colours; only what nobody has taken blinks. */
export function markClasses(alert: Alert): string[] {
  return [`mark--${markOf(alert)}`, ...(isUnclaimed(alert) ? ['is-blinking'] : [])]
}

/** Events that came more than a minute late are told apart from people who came late. */
export const LATE_SHOWN_MS = 60_000
