/** The live channel: one WebSocket that is always wanted. It says hello, hands over frames, and comes back
 * by itself with growing pauses. It never rests, whether the page is seen or not. */

import type { Frame } from './entities'

export type Phase = 'connecting' | 'open' | 'waiting'

/** The last frame seen, which the centre may resume from; an epoch of null asks for a snapshot. */
export interface Place {
  epoch: string | null
  seq: number
}

export interface Wire {
  send(text: string): void
  close(): void
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: (() => void) | null
}

export interface ConnectionOptions {
  open: () => Wire
  hello: () => Place & { view: string; console: string }
  onFrame: (frame: Frame) => void
  onPhase: (phase: Phase, attempt: number) => void
}

/** A channel that has brought nothing for so long is given up: a frozen server keeps its sockets open. */
export const SILENCE_LIMIT_MS = 12_000
const BACKOFF_MAX_MS = 10_000

/** 0.5 s doubling to 10 s, each between half and the whole of its step. `random` is in [0, 1). */
export function backoffMs(attempt: number, random: number): number {
  const step = Math.min(BACKOFF_MAX_MS, 500 * 2 ** Math.min(attempt, 10))
  return step / 2 + (step / 2) * random
}

export class Connection {
  private wire: Wire | null = null
  private attempt = 0
  private isHeard = false
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private silenceTimer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: ConnectionOptions) {}

  start(): void {
    clearTimeout(this.retryTimer)
    this.options.onPhase('connecting', this.attempt)
    const wire = this.options.open()
    this.wire = wire
    this.isHeard = false
    this.armSilence()
    wire.onopen = () => {
      const { epoch, seq, view, console } = this.options.hello()
      wire.send(JSON.stringify({ type: 'hello', epoch, last_seq: seq, view, console }))
    }
    wire.onmessage = (event) => this.received(event.data)
    wire.onclose = () => this.lost()
  }

  /** Leaves the present channel and opens another at once, to be told anew. */
  restart(): void {
    this.drop()
    this.start()
  }

  stop(): void {
    clearTimeout(this.retryTimer)
    this.drop()
  }

  painted(seq: number): void {
    if (this.isHeard) this.wire?.send(JSON.stringify({ type: 'painted', seq }))
  }

  private received(data: unknown): void {
    if (typeof data !== 'string') return
    this.armSilence()
    if (!this.isHeard) {
      this.isHeard = true
      this.attempt = 0
      this.options.onPhase('open', 0)
    }
    this.options.onFrame(JSON.parse(data) as Frame)
  }

  private lost(): void {
    this.drop()
    this.retryTimer = setTimeout(() => this.start(), backoffMs(this.attempt, Math.random()))
    this.attempt += 1
    this.options.onPhase('waiting', this.attempt)
  }

  private armSilence(): void {
    clearTimeout(this.silenceTimer)
    this.silenceTimer = setTimeout(() => this.lost(), SILENCE_LIMIT_MS)
  }

  /** The channel that is left is heard no more, whatever it still says. */
  private drop(): void {
    clearTimeout(this.silenceTimer)
    const wire = this.wire
    this.wire = null
    if (!wire) return
    wire.onopen = wire.onmessage = wire.onclose = null
    wire.close()
  }
}
