/** Time on the board: always the centre's clock and zone, never the browser's. */

export type Staleness = 'fresh' | 'amber' | 'red'

export const AMBER_AFTER_MS = 6_000
export const RED_AFTER_MS = 10_000

/** How much the shown data may be trusted, from the silence since the last frame. */
export function staleness(silentMs: number): Staleness {
  if (silentMs >= RED_AFTER_MS) return 'red'
  return silentMs >= AMBER_AFTER_MS ? 'amber' : 'fresh'
}

/** `mm:ss`, from an hour on `h:mm:ss`, from a day on `d+hh:mm`. Never negative. */
export function formatAge(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000))
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  if (hours >= 24) return `${Math.floor(hours / 24)}d ${two(hours % 24)}:${two(minutes)}`
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${two(minutes)}:${two(seconds)}`
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}

const formats = new Map<string, Intl.DateTimeFormat>()

function parts(ms: number, zone: string): Record<string, string> {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(zone, format)
  }
  return Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, part.value]))
}

/** `HH:MM:SS` in the centre's zone. */
export function formatTime(ms: number, zone: string): string {
  const { hour, minute, second } = parts(ms, zone)
  return `${hour}:${minute}:${second}`
}

/** `YYYY-MM-DD` in the centre's zone. */
export function formatDay(ms: number, zone: string): string {
  const { year, month, day } = parts(ms, zone)
  return `${year}-${month}-${day}`
}

const SAMPLES = 8

/** The centre's clock, told by its frames and carried on by the browser's monotonic clock. The best of the
 * last few frames counts: a frame that was held up on the way tells an earlier time, never a later one. */
export class ServerClock {
  private readonly offsets: number[] = []

  observe(serverMs: number, monoMs: number): void {
    this.offsets.push(serverMs - monoMs)
    if (this.offsets.length > SAMPLES) this.offsets.shift()
  }

  get isSet(): boolean {
    return this.offsets.length > 0
  }

  now(monoMs: number): number {
    return this.isSet ? Math.max(...this.offsets) + monoMs : 0
  }
}
