import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoffMs, Connection, SILENCE_LIMIT_MS, type Phase, type Wire } from './connection'
import type { Frame } from './entities'

class FakeWire implements Wire {
  sent: string[] = []
  isClosed = false
  onopen: Wire['onopen'] = null
  onmessage: Wire['onmessage'] = null
  onclose: Wire['onclose'] = null
  send(text: string): void {
    this.sent.push(text)
  }
  close(): void {
    this.isClosed = true
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
}

const HEARTBEAT = { type: 'hb', seq: 4, server_ms: 1 }

describe('the live channel', () => {
  let wires: FakeWire[]
  let frames: Frame[]
  let phases: Phase[]
  let connection: Connection

  beforeEach(() => {
    vi.useFakeTimers()
    ;[wires, frames, phases] = [[], [], []]
    connection = new Connection({
      open: () => {
        wires.push(new FakeWire())
        return wires[wires.length - 1]!
      },
      hello: () => ({ epoch: 'e1', seq: 4, view: 'wall', console: 'c' }),
      onFrame: (frame) => frames.push(frame),
      onPhase: (phase) => phases.push(phase),
    })
    connection.start()
  })
  afterEach(() => {
    connection.stop()
    vi.useRealTimers()
  })

  it('says first what it knows already', () => {
    wires[0]!.onopen?.()
    expect(JSON.parse(wires[0]!.sent[0]!)).toEqual({
      type: 'hello',
      epoch: 'e1',
      last_seq: 4,
      view: 'wall',
      console: 'c',
    })
  })

  it('counts as open with the first frame, not with the socket', () => {
    wires[0]!.onopen?.()
    expect(phases).toEqual(['connecting'])
    wires[0]!.say(HEARTBEAT)
    expect(phases).toEqual(['connecting', 'open'])
    expect(frames).toEqual([HEARTBEAT])
  })

  it('comes back by itself after a loss', () => {
    wires[0]!.onclose?.()
    expect(phases).toEqual(['connecting', 'waiting'])
    vi.advanceTimersByTime(500)
    expect(wires).toHaveLength(2)
  })

  it('gives up a channel that stays open and says nothing', () => {
    wires[0]!.say(HEARTBEAT)
    vi.advanceTimersByTime(SILENCE_LIMIT_MS + 500)
    expect(wires[0]!.isClosed).toBe(true)
    expect(wires).toHaveLength(2)
  })

  it('hears nothing more from a channel that it has left', () => {
    const [left] = wires
    connection.restart()
    left!.say(HEARTBEAT)
    left!.onclose?.()
    expect(frames).toEqual([])
    expect(wires).toHaveLength(2)
  })

  it('tells what was painted only to a centre that has spoken', () => {
    connection.painted(3)
    expect(wires[0]!.sent).toEqual([])
    wires[0]!.say(HEARTBEAT)
    connection.painted(4)
    expect(wires[0]!.sent).toEqual(['{"type":"painted","seq":4}'])
  })
})

describe('the pause before another try', () => {
  it('doubles from half a second to ten and is never the same for all', () => {
    expect([0, 1, 2, 5, 50].map((attempt) => backoffMs(attempt, 1))).toEqual([
      500, 1_000, 2_000, 10_000, 10_000,
    ])
    expect(backoffMs(50, 0)).toBe(5_000)
  })
})
