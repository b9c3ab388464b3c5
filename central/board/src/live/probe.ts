/** What the page tells a test or a technician's console: counted by the page itself, read by nobody here. */

export interface Tone {
  kind: string
  at_ms: number
}
export interface Probe {
  audio: AudioContextState | 'none'
  frames: number
  lastSeq: number
  tones: Tone[]
}

const TONES_KEPT = 100

export const probe: Probe = { audio: 'none', frames: 0, lastSeq: 0, tones: [] }

export function recordTone(kind: string): void {
  probe.tones.push({ kind, at_ms: Date.now() })
  if (probe.tones.length > TONES_KEPT) probe.tones.shift()
}

declare global {
  interface Window {
    __casewatch: Probe
  }
}
window.__casewatch = probe
