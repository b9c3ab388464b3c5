/** When a tone sounds, and which. Pure: time is passed in, in ms of the browser's monotonic clock. */

import { alarmOf } from '../live/alarms'
import type { Alert, Fault } from '../live/entities'
import { isUnclaimed } from '../live/queue'

export type ToneKind = 'level1' | 'level2' | 'level3' | 'link'

export const REPEAT_MS = 15_000
export const GAP_MS = 5_000
export const MUTE_MS = 60_000
/** An alert that came so late is in the queue, but nobody can arrive in time any more. */
const TOO_LATE_MS = 600_000

export interface SoundMemory {
  readonly announced: ReadonlySet<string>
  readonly lastToneMs: number
  readonly isLinkLost: boolean
}

export interface Scene {
  alerts: readonly Alert[]
  /** New and grave: each is heard once. */
  faults: readonly Fault[]
  isLinkLost: boolean
  nowMs: number
  mutedUntilMs: number
}

export const silence: SoundMemory = { announced: new Set(), lastToneMs: -Infinity, isLinkLost: false }

/** The tone due now, or none. An alert is new once; it is new again when its owner gave it back. */
export function nextTone(memory: SoundMemory, scene: Scene): { memory: SoundMemory; tone: ToneKind | null } {
  if (scene.isLinkLost) return linkTone(memory, scene)
  const sounding = scene.alerts.filter(isSounding)
  const keys = [...sounding.map(soundKey), ...scene.faults.map(faultKey)]
  const heard = new Set(keys.filter((key) => memory.announced.has(key)))
  const since = scene.nowMs - memory.lastToneMs
  const fresh = sounding.filter((alert) => !heard.has(soundKey(alert)))
  const due = fresh.length > 0 ? fresh : since >= REPEAT_MS ? sounding.filter(isUnclaimed) : []
  const faults = scene.faults.filter((fault) => !heard.has(faultKey(fault)))
  const kept = { ...memory, announced: heard, isLinkLost: false }
  if (due.length + faults.length === 0 || since < GAP_MS) return { memory: kept, tone: null }
  const level = Math.max(
    ...due.map((alert) => (alert.state === 'LAPSED' ? 3 : alert.level)),
    ...faults.map((fault) => (alarmOf(fault).level === 'security' ? 3 : 2)),
  )
  const announced = new Set(keys)
  if (level < 3 && scene.nowMs < scene.mutedUntilMs) return { memory: { ...kept, announced }, tone: null }
  return {
    memory: { announced, lastToneMs: scene.nowMs, isLinkLost: false },
    tone: level >= 3 ? 'level3' : level === 2 ? 'level2' : 'level1',
  }
}

function linkTone(memory: SoundMemory, scene: Scene): { memory: SoundMemory; tone: ToneKind | null } {
  const isDue = !memory.isLinkLost || scene.nowMs - memory.lastToneMs >= REPEAT_MS
  if (!isDue) return { memory, tone: null }
  return { memory: { ...memory, isLinkLost: true, lastToneMs: scene.nowMs }, tone: 'link' }
}

function isSounding(alert: Alert): boolean {
  return (
    (isUnclaimed(alert) && alert.late_ms < TOO_LATE_MS) || (alert.state === 'LAPSED' && alert.owner === null)
  )
}

function faultKey(fault: Fault): string {
  return `fault ${fault.id}`
}

function soundKey(alert: Alert): string {
  return alert.state === 'LAPSED' ? `${alert.id} lapsed` : alert.id
}
