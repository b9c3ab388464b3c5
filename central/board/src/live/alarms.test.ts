import { describe, expect, it } from 'vitest'
import { ALARMS, alarmOf, faultsOfStation, shownFaults, suddenFaults } from './alarms'
import type { Fault, FaultKind, Station } from './entities'

const fault = (kind: string, more: Partial<Fault> = {}): Fault => ({
  id: kind,
  kind: kind as FaultKind,
  station: 's',
  room: null,
  point: null,
  detail: '',
  since_ms: 0,
  cleared_ms: null,
  ...more,
})
const kinds = (faults: Fault[]): string[] => faults.map(({ kind }) => kind)

describe('faults', () => {
  it('are shown with the gravest first, then the newest', () => {
    const all = [
      fault('simulated', { since_ms: 9 }),
      fault('disk_low', { since_ms: 1 }),
      fault('forked'),
      fault('picture', { since_ms: 5 }),
    ]
    expect(kinds(shownFaults(all))).toEqual(['forked', 'picture', 'disk_low', 'simulated'])
  })

  it('of points are explained by a station that is away; those of its evidence are not', () => {
    const points = [fault('point_silent', { room: 's.r' }), fault('point_disabled', { point: 's.x' })]
    const grave = [fault('two_machines'), fault('journal_touched'), fault('maintenance')]
    for (const away of ['station_lost', 'service_stopped']) {
      const shown = kinds(shownFaults([...points, ...grave, fault(away)]))
      expect(shown.sort()).toEqual([away, 'journal_touched', 'maintenance', 'two_machines'].sort())
    }
    expect(shownFaults([...points, fault('station_lost', { station: 'other' })])).toHaveLength(3)
  })

  it('of a station itself stand in its head, but for what its link says already', () => {
    const all = [
      fault('station_lost'),
      fault('maintenance'),
      fault('clock_stepped'),
      fault('picture', { room: 's.r' }),
      fault('point_silent', { point: 's.cab.s01.lock' }),
      fault('forked', { station: 'other' }),
    ]
    expect(kinds(faultsOfStation(all, { id: 's' } as Station))).toEqual(['clock_stepped', 'maintenance'])
  })

  it('are heard when they are new and grave', () => {
    const all = [fault('journal_touched'), fault('station_lost'), fault('picture'), fault('insecure')]
    expect(kinds(suddenFaults(all, 59_999))).toEqual(['journal_touched', 'station_lost'])
    expect(suddenFaults(all, 60_000)).toEqual([])
  })

  it('of a kind that this page does not know are faults all the same', () => {
    expect(alarmOf(fault('of_tomorrow')).level).toBe('fault')
    expect(Object.keys(ALARMS)).not.toContain('of_tomorrow')
  })
})
