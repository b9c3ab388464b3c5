/** The words for a fault: its kind, of the picture what is wrong with it; and what its detail tells. */

import { formatAge, formatDay, formatTime } from '../live/ages'
import type { Fault } from '../live/entities'
import { wordFor, type Say, type WordKey } from '../locales/words'
import { zh } from '../locales/zh'

export function faultWord(t: Say, fault: Fault): string {
  if (fault.kind === 'picture' && fault.detail in zh.picture) return t(`picture.${fault.detail}` as WordKey)
  return t(`fault.${wordFor(zh.fault, fault.kind, 'unknown')}` as WordKey)
}

/** Empty where the kind says it all. `detail` is a word of the centre's and, after a space, of what it speaks. */
export function faultDetail(t: Say, fault: Fault, zone: string): string {
  const [word = '', ...rest] = fault.detail.split(' ')
  if (fault.kind === 'point_silent') return t(`quality.${wordFor(zh.quality, word)}` as WordKey)
  const key = `${fault.kind}_${word}`
  if (!(key in zh.told)) return ''
  const value = rest.join(' ')
  return t(`told.${key}` as WordKey, { value, ...instant(rest, zone), span: formatAge(Math.abs(Number(value)) * 1000) })
}

/** What begins with an instant: the time, the day, and who is named after it. */
function instant(rest: string[], zone: string): Record<string, string> {
  const ms = Number(rest[0])
  if (!Number.isInteger(ms) || ms < 1e12) return {}
  return { time: formatTime(ms, zone).slice(0, 5), day: formatDay(ms, zone), who: rest.slice(1).join(' ') }
}
