import { describe, expect, it } from 'vitest'
import type { Alert, Change, Room, Snapshot } from './entities'
import { emptyModel, markSuspect, reduce, type BoardModel } from './model'

const alert = (id: string, more: Partial<Alert> = {}): Alert => ({
  id,
  kind: 'patrol',
  station: 'liuxu',
  room: 'liuxu.int1',
  state: 'UNACK',
  level: 1,
  edge_ms: 1_000,
  raised_ms: 1_200,
  late_ms: 200,
  opens: 1,
  cond: 'OPEN',
  owner: null,
  claimed_ms: null,
  viewed_ms: 0,
  lapse_at_ms: 601_200,
  lapsed: false,
  result: null,
  ended_ms: null,
  rev: 1,
  chain_pending: false,
  session: 's1',
  ...more,
})
const room = (door: Room['door']): Room => ({
  id: 'liuxu.int1',
  station: 'liuxu',
  order: 1,
  name: { zh: 'a', en: 'a' },
  kind: 'interrogation_room',
  has_camera: true,
  door,
  quality: 'good',
  picture: 'ok',
  since_ms: 0,
  simulated: false,
  session: null,
  alert_id: null,
})
const snapshot = (more: Partial<Snapshot> = {}): Snapshot => ({
  type: 'snapshot',
  epoch: 'e1',
  seq: 7,
  server_ms: 5_000,
  zone: 'Asia/Shanghai',
  rules: { min_view_s: 20, decoded_min_s: 2 },
  stations: [],
  rooms: [room('closed')],
  cabinets: [],
  alerts: [],
  faults: [],
  ...more,
})
const changes = (...list: Change[]) => ({ type: 'changes', server_ms: 6_000, changes: list }) as const
const alertChange = (seq: number, entity: Alert): Change => ({ seq, kind: 'alert', entity, cause: null })
const live = (more: Partial<Snapshot> = {}): BoardModel => reduce(emptyModel, snapshot(more)).model

describe('the model', () => {
  it('takes a snapshot whole and drops what the snapshot does not name', () => {
    const before = live({ alerts: [alert('old')] })
    const { model } = reduce(markSuspect(before), snapshot({ seq: 9, alerts: [alert('new')] }))
    expect(Object.keys(model.alerts)).toEqual(['new'])
    expect(model).toMatchObject({ seq: 9, epoch: 'e1', suspect: false })
  })

  it('is suspect from the loss of the channel until the centre has spoken', () => {
    const lost = markSuspect(live())
    expect(lost.suspect).toBe(true)
    expect(Object.keys(lost.rooms)).toEqual(['liuxu.int1'])
    expect(reduce(lost, { type: 'resume', epoch: 'e1', seq: 7, server_ms: 1 }).model.suspect).toBe(false)
  })

  it('asks again when it is resumed into another epoch', () => {
    expect(reduce(live(), { type: 'resume', epoch: 'e2', seq: 7, server_ms: 1 }).askAgain).toBe(true)
  })

  it('applies changes in order and leaves the rest untouched', () => {
    const before = live({ alerts: [alert('a')] })
    const { model, askAgain } = reduce(
      before,
      changes({ seq: 8, kind: 'room', entity: room('open'), cause: null }, alertChange(9, alert('b'))),
    )
    expect(askAgain).toBe(false)
    expect(model.seq).toBe(9)
    expect(model.rooms['liuxu.int1']?.door).toBe('open')
    expect(Object.keys(model.alerts)).toEqual(['a', 'b'])
    expect(before.rooms['liuxu.int1']?.door).toBe('closed')
    expect(model.stations).toBe(before.stations)
  })

  it('passes over a change that it has already', () => {
    const { model } = reduce(
      live({ alerts: [alert('a', { rev: 5 })] }),
      changes(alertChange(7, alert('a', { rev: 4 }))),
    )
    expect(model.alerts['a']?.rev).toBe(5)
    expect(model.seq).toBe(7)
  })

  it('asks again at a gap, and keeps what came before it', () => {
    const { model, askAgain } = reduce(
      live(),
      changes(alertChange(8, alert('a')), alertChange(10, alert('b'))),
    )
    expect(askAgain).toBe(true)
    expect(model.seq).toBe(8)
    expect(Object.keys(model.alerts)).toEqual(['a'])
  })

  it('asks again when two heartbeats in a row speak of a change that did not come', () => {
    const hb = (seq: number) => ({ type: 'hb', seq, server_ms: 1 }) as const
    const first = reduce(live(), hb(8))
    expect(first.askAgain).toBe(false)
    expect(reduce(first.model, hb(8)).askAgain).toBe(true)
    const arrived = reduce(first.model, changes(alertChange(8, alert('a'))))
    expect(reduce(arrived.model, hb(8)).askAgain).toBe(false)
  })

  it('asks for a snapshot when changes come before it', () => {
    expect(reduce(emptyModel, changes(alertChange(1, alert('a')))).askAgain).toBe(true)
  })

  it('drops an alert when it is reviewed, not when the use of the room has ended', () => {
    const before = live({ alerts: [alert('a')] })
    const left = reduce(
      before,
      changes(alertChange(8, alert('a', { state: 'RTN_UNACK', ended_ms: 9 }))),
    ).model
    expect(Object.keys(left.alerts)).toEqual(['a'])
    const done = reduce(left, changes(alertChange(9, alert('a', { state: 'REVIEWED', ended_ms: 9 })))).model
    expect(done.alerts).toEqual({})
  })

  it('counts a change of a kind that it does not know', () => {
    const strange = { seq: 8, kind: 'parade', entity: {}, cause: null } as unknown as Change
    expect(reduce(live(), changes(strange))).toMatchObject({ askAgain: false, model: { seq: 8 } })
  })
})
