/** The tones themselves, made by WebAudio: nothing to load, nothing to go missing. */

import type { ToneKind } from './plan'

/** Notes as [frequency in Hz, start in s, length in s]; higher and busier is graver, falling is the link. */
const NOTES: Record<ToneKind, readonly (readonly [number, number, number])[]> = {
  level1: [
    [880, 0, 0.16],
    [1175, 0.2, 0.28],
  ],
  level2: [
    [988, 0, 0.14],
    [1319, 0.18, 0.14],
    [988, 0.36, 0.14],
    [1319, 0.54, 0.3],
  ],
  level3: [
    [1480, 0, 0.12],
    [988, 0.14, 0.12],
    [1480, 0.28, 0.12],
    [988, 0.42, 0.12],
    [1480, 0.56, 0.12],
    [988, 0.7, 0.3],
  ],
  link: [
    [587, 0, 0.3],
    [440, 0.34, 0.3],
    [294, 0.68, 0.5],
  ],
}
const VOLUME = 0.25

export function playTone(context: AudioContext, kind: ToneKind): void {
  for (const [frequency, start, length] of NOTES[kind]) {
    const from = context.currentTime + start
    const gain = context.createGain()
    gain.gain.setValueAtTime(0, from)
    gain.gain.linearRampToValueAtTime(VOLUME, from + 0.015)
    gain.gain.setValueAtTime(VOLUME, from + length - 0.04)
    gain.gain.linearRampToValueAtTime(0, from + length)
    gain.connect(context.destination)
    const oscillator = context.createOscillator()
    oscillator.type = 'triangle'
    oscillator.frequency.value = frequency
    oscillator.connect(gain)
    oscillator.start(from)
    oscillator.stop(from + length)
  }
}
