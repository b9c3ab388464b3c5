import { describe, expect, it } from 'vitest'
import type { Fault, Room, Station } from './entities'
import { kept, type Tile } from './tiles'

const room = { id: 's.a' } as Room
const station = { id: 's' } as Station
const tile: Tile = { room, station, alert: null, faults: [], state: 'NORMAL', isUnknown: false, door: 'closed' }

describe('kept', () => {
  it('gives the tile that is on the screen while nothing of it changes', () => {
    expect(kept(tile, { ...tile, faults: [] })).toBe(tile)
  })
  it('gives the new one when the room, its alert or a fault changes', () => {
    const fault = { id: 'f' } as Fault
    for (const changed of [{ room: { ...room } }, { station: { ...station } }, { faults: [fault] }]) {
      const after = { ...tile, ...changed }
      expect(kept(tile, after)).toBe(after)
    }
    expect(kept({ ...tile, faults: [fault] }, { ...tile, faults: [{ ...fault }] }).faults[0]).not.toBe(fault)
  })
})
