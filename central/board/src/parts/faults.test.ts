import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Fault } from '../live/entities'
import { en } from '../locales/en'
import type { Say } from '../locales/words'
import { zh } from '../locales/zh'

type Faults = typeof import('./faults')
let faultDetail: Faults['faultDetail']
let faultWord: Faults['faultWord']
beforeAll(async () => {
  vi.stubGlobal('localStorage', { getItem: () => null })
  ;({ faultDetail, faultWord } = await import('./faults'))
})

const sayIn =
  (words: object): Say =>
  (key, values = {}) => {
    const [group, name] = key.split('.') as [string, string]
    const text = (words as Record<string, Record<string, string>>)[group]![name]!
    return text.replace(/\{(\w+)\}/g, (_, value: string) => String(values[value]))
  }
const fault = (kind: string, detail: string): Fault => ({ kind, detail }) as Fault
const ENDS_MS = Date.UTC(2027, 0, 15, 8, 30)

describe('the words of a fault', () => {
  const detail = (kind: string, text: string, words: object = en): string =>
    faultDetail(sayIn(words), fault(kind, text), 'Asia/Shanghai')

  it('tell its detail with the value, the time or the person that it names', () => {
    expect(detail('maintenance', `until ${ENDS_MS} Chen Jing`)).toBe('until 16:30 · Chen Jing')
    expect(detail('certificate_expires', `week ${ENDS_MS}`)).toBe('within 7 days: 2027-01-15')
    expect(detail('clock_stepped', 'behind 3725')).toBe('1:02:05 behind')
    expect(detail('disk_low', 'free 90', zh)).toContain('90 MB')
    expect(detail('point_silent', 'line_open', zh)).toBe(zh.quality.line_open)
  })

  it('leave out a detail that this page does not know, and never the kind', () => {
    expect(detail('forked', 'something new')).toBe('')
    expect(detail('point_silent', 'something')).toBe(en.quality.other)
    expect(faultWord(sayIn(en), fault('of_tomorrow', ''))).toBe(en.fault.unknown)
    expect(faultWord(sayIn(en), fault('picture', 'dark'))).toBe(en.picture.dark)
  })
})
