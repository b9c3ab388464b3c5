import { describe, expect, it } from 'vitest'
import type { Alert, Fault } from '../live/entities'
import { nextTone, silence, type Scene, type SoundMemory, type ToneKind } from './plan'

const alert = (id: string, more: Partial<Alert> = {}): Alert => ({
  id,
  kind: 'patrol',
  station: 's',
  room: 's.r',
  state: 'UNACK',
  level: 1,
  edge_ms: 0,
  raised_ms: 0,
  late_ms: 0,
  opens: 1,
  cond: 'OPEN',
  owner: null,
  claimed_ms: null,
  viewed_ms: 0,
  lapse_at_ms: 0,
  lapsed: false,
  result: null,
  ended_ms: null,
  rev: 1,
  chain_pending: false,
  session: 's',
  ...more,
})

/** Plays scenes one after another, each with the time in seconds; gives back the tones with their time. */
function played(scenes: [number, Partial<Scene>][]): [number, ToneKind][] {
  let memory: SoundMemory = silence
  const tones: [number, ToneKind][] = []
  for (const [second, scene] of scenes) {
    const next = nextTone(memory, {
      alerts: [],
      faults: [],
      isLinkLost: false,
      mutedUntilMs: 0,
      ...scene,
      nowMs: second * 1_000,
    })
    memory = next.memory
    if (next.tone) tones.push([second, next.tone])
  }
  return tones
}

describe('tones', () => {
  it('sound at once for a new alert, by its level', () => {
    expect(played([[0, { alerts: [alert('a', { level: 2 })] }]])).toEqual([[0, 'level2']])
  })

  it('sound once for a new fault, in time with the alerts', () => {
    const lost = { id: '1', kind: 'station_lost' } as Fault
    const touched = { id: '2', kind: 'journal_touched' } as Fault
    expect(
      played([
        [0, { faults: [lost] }],
        [20, { faults: [lost] }],
        [21, { faults: [lost, touched] }],
        [60, { faults: [touched] }],
      ]),
    ).toEqual([
      [0, 'level2'],
      [21, 'level3'],
    ])
  })

  it('repeat every 15 s until somebody claims', () => {
    const waiting = { alerts: [alert('a')] }
    const taken = { alerts: [alert('a', { state: 'CLAIMED', owner: { id: 'u', name: 'u' } })] }
    expect(
      played([
        [0, waiting],
        [14, waiting],
        [15, waiting],
        [29, taken],
        [31, taken],
        [60, taken],
      ]),
    ).toEqual([
      [0, 'level1'],
      [15, 'level1'],
    ])
  })

  it('sound at most once in 5 s however many alerts come, and then for the gravest', () => {
    const [a, b, c] = [alert('a'), alert('b'), alert('c', { level: 3 })]
    expect(
      played([
        [0, { alerts: [a] }],
        [1, { alerts: [a, b] }],
        [2, { alerts: [a, b, c] }],
        [5, { alerts: [a, b, c] }],
      ]),
    ).toEqual([
      [0, 'level1'],
      [5, 'level3'],
    ])
  })

  it('do not sound again for the same alert after the channel was lost and came back', () => {
    const waiting = { alerts: [alert('a')] }
    expect(
      played([
        [0, waiting],
        [6, { ...waiting, isLinkLost: true }],
        [12, waiting],
      ]),
    ).toEqual([
      [0, 'level1'],
      [6, 'link'],
    ])
  })

  it('sound again for an alert that its owner gave back', () => {
    const taken = { alerts: [alert('a', { state: 'CLAIMED', owner: { id: 'u', name: 'u' } })] }
    expect(
      played([
        [0, { alerts: [alert('a')] }],
        [3, taken],
        [8, { alerts: [alert('a')] }],
      ]),
    ).toEqual([
      [0, 'level1'],
      [8, 'level1'],
    ])
  })

  it('keep silent while muted, but never at level 3', () => {
    const mutedUntilMs = 60_000
    const [plain, grave] = [alert('a'), alert('b', { level: 3 })]
    expect(
      played([
        [10, { alerts: [plain], mutedUntilMs }],
        [20, { alerts: [plain, grave], mutedUntilMs }],
      ]),
    ).toEqual([[20, 'level3']])
  })

  it('sound once when an alert lapses, and not for what came ten minutes late', () => {
    const lapsed = { alerts: [alert('a', { state: 'LAPSED', lapsed: true })] }
    expect(
      played([
        [0, lapsed],
        [20, lapsed],
      ]),
    ).toEqual([[0, 'level3']])
    expect(played([[0, { alerts: [alert('a', { late_ms: 600_000 })] }]])).toEqual([])
  })

  it('tell of a lost link at once and every 15 s', () => {
    const lost = { isLinkLost: true }
    expect(
      played([
        [0, lost],
        [5, lost],
        [15, lost],
      ]),
    ).toEqual([
      [0, 'link'],
      [15, 'link'],
    ])
  })
})
