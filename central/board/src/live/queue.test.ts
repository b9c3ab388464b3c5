import { describe, expect, it } from 'vitest'
import type { Alert, Room, Station } from './entities'
import { emptyModel, type BoardModel } from './model'
import { lapsedOn, queueOrder, totals } from './queue'
import { matrixOf, tileOf } from './tiles'

const alert = (id: string, more: Partial<Alert> = {}): Alert => ({
  id,
  kind: 'patrol',
  station: 's',
  room: `s.${id}`,
  state: 'UNACK',
  level: 1,
  edge_ms: 0,
  raised_ms: 1_000,
  late_ms: 0,
  opens: 1,
  cond: 'OPEN',
  owner: null,
  claimed_ms: null,
  viewed_ms: 0,
  lapse_at_ms: 601_000,
  lapsed: false,
  result: null,
  ended_ms: null,
  rev: 1,
  chain_pending: false,
  session: id,
  ...more,
})
const station = (id: string, order: number, link: Station['link'] = 'online'): Station => ({
  id,
  order,
  link,
  name: { zh: id, en: id },
  edge: id,
  link_since_ms: 0,
  queued: 0,
  refused: 0,
})
const room = (at: string, order: number, kind: string, more: Partial<Room> = {}): Room => ({
  id: at,
  station: at.split('.')[0]!,
  order,
  kind,
  name: { zh: at, en: at },
  has_camera: true,
  door: 'closed',
  quality: 'good',
  picture: 'ok',
  since_ms: 0,
  simulated: false,
  session: null,
  alert_id: null,
  ...more,
})
const byId = <T extends { id: string }>(...list: T[]): Record<string, T> =>
  Object.fromEntries(list.map((one) => [one.id, one]))
const boardOf = (more: Partial<BoardModel>): BoardModel => ({ ...emptyModel, ...more })

describe('the queue', () => {
  it('puts level first, then those who left or lapsed, then age; what is taken comes last', () => {
    const owner = { id: 'u', name: 'u' }
    const list = [
      alert('taken', { level: 3, state: 'REVIEWING', owner }),
      alert('young', { raised_ms: 3_000 }),
      alert('old', { raised_ms: 2_000 }),
      alert('left', { state: 'RTN_UNACK', raised_ms: 9_000 }),
      alert('grave', { level: 3, raised_ms: 9_000 }),
      alert('lapsed', { level: 3, state: 'LAPSED', raised_ms: 9_500 }),
    ]
    expect(queueOrder(list).map(({ id }) => id)).toEqual(['lapsed', 'grave', 'left', 'old', 'young', 'taken'])
  })

  it('counts a lapsed alert as waiting until somebody has it', () => {
    const waiting = boardOf({ alerts: byId(alert('a', { state: 'LAPSED', lapsed: true })) })
    expect(totals(waiting)).toMatchObject({ waiting: 1, oldestMs: 1_000, reviewing: 0 })
    const taken = boardOf({
      alerts: byId(alert('a', { state: 'LAPSED', lapsed: true, owner: { id: 'u', name: 'u' } })),
    })
    expect(totals(taken)).toMatchObject({ waiting: 0, oldestMs: null, reviewing: 1 })
  })

  it('counts as missed today what lapsed on this day of the centre', () => {
    const midnight = Date.UTC(2016, 6, 22, 16, 0, 0)
    const list = [
      alert('before', { lapsed: true, lapse_at_ms: midnight - 1 }),
      alert('after', { lapsed: true, lapse_at_ms: midnight }),
      alert('not', { lapse_at_ms: midnight }),
    ]
    expect(lapsedOn(list, midnight + 60_000, 'Asia/Shanghai')).toEqual(['after'])
  })
})

describe('a tile', () => {
  const online = station('s', 0)

  it('is unknown when its station is lost, whatever the door last said', () => {
    const tile = tileOf(emptyModel, room('s.a', 0, 'waiting_room', { door: 'open' }), station('s', 0, 'lost'))
    expect(tile).toMatchObject({ state: 'UNKNOWN', isUnknown: true, door: 'unknown' })
  })

  it('is unknown when the point is not read', () => {
    expect(tileOf(emptyModel, room('s.a', 0, 'waiting_room', { quality: 'comm_fail' }), online).state).toBe(
      'UNKNOWN',
    )
  })

  it('keeps showing its alert when its station is lost', () => {
    const model = boardOf({ alerts: byId(alert('a')) })
    expect(tileOf(model, room('s.a', 0, 'waiting_room'), station('s', 0, 'lost'))).toMatchObject({
      state: 'UNACK',
      isUnknown: true,
    })
  })

  it('shows use only while nothing else is the matter', () => {
    const used = room('s.a', 0, 'waiting_room', { session: { id: 'x', started_ms: 0, opens: 1 } })
    expect(tileOf(emptyModel, used, online).state).toBe('IN_USE')
  })
})

describe('the matrix', () => {
  it('gives each kind its own columns, as many as the richest station needs', () => {
    const model = boardOf({
      stations: byId(station('b', 1), station('a', 0)),
      rooms: byId(
        room('a.w', 0, 'waiting_room'),
        room('a.i1', 1, 'interrogation_room'),
        room('a.i2', 2, 'interrogation_room'),
        room('b.i', 0, 'interrogation_room'),
        room('b.w', 1, 'waiting_room'),
      ),
    })
    const matrix = matrixOf(model)
    expect(matrix.kinds).toEqual(['waiting_room', 'interrogation_room', 'interrogation_room'])
    expect(matrix.rows.map(({ places }) => places.map((place) => place?.id ?? null))).toEqual([
      ['a.w', 'a.i1', 'a.i2'],
      ['b.w', 'b.i', null],
    ])
  })

  it('sets rooms one after another where the kinds would need too many columns', () => {
    const rooms = Array.from({ length: 12 }, (_, i) => room(`a.r${i}`, i, `kind${i}`))
    const matrix = matrixOf(boardOf({ stations: byId(station('a', 0)), rooms: byId(...rooms) }))
    expect(matrix).toMatchObject({ kinds: [], width: 10 })
    expect(matrix.rows[0]?.places.map((place) => place?.id)).toEqual(rooms.map(({ id }) => id))
  })
})
