/** The board's voice: plays what the plan says, and knows whether the browser lets it speak. */

import { inject, provide, ref, watch, type InjectionKey, type Ref } from 'vue'
import { suddenFaults } from '../live/alarms'
import type { Board } from '../live/board'
import { probe, recordTone } from '../live/probe'
import { MUTE_MS, nextTone, silence } from './plan'
import { playTone } from './tones'

export interface Sound {
  isRunning: Ref<boolean>
  /** What is left of the muting, in milliseconds; 0 when not muted. */
  mutedMs: Ref<number>
  enable: () => void
  mute: () => void
}

const key: InjectionKey<Sound> = Symbol('sound')

export function useSound(): Sound {
  const sound = inject(key)
  if (!sound) throw new Error('no sound on this page')
  return sound
}

export function startSound(board: Board): Sound {
  const context = new AudioContext()
  const isRunning = ref(context.state === 'running')
  const mutedMs = ref(0)
  let mutedUntilMs = 0
  let memory = silence

  function noteState(): void {
    isRunning.value = context.state === 'running'
    probe.audio = context.state
  }
  function enable(): void {
    void context.resume().then(noteState)
  }
  function think(): void {
    const nowMs = performance.now()
    mutedMs.value = Math.max(0, mutedUntilMs - nowMs)
    const isLinkLost = board.staleness.value === 'red'
    const alerts = Object.values(board.model.value.alerts)
    const faults = suddenFaults(Object.values(board.model.value.faults), board.nowMs.value)
    const next = nextTone(memory, { alerts, faults, isLinkLost, nowMs, mutedUntilMs })
    memory = next.memory
    if (next.tone && context.state === 'running') {
      playTone(context, next.tone)
      recordTone(next.tone)
    }
  }
  function mute(): void {
    mutedUntilMs = performance.now() + MUTE_MS
    think()
  }

  context.onstatechange = noteState
  noteState()
  for (const gesture of ['pointerdown', 'keydown'])
    document.addEventListener(gesture, enable, { capture: true })
  watch([board.model, board.silentMs], think)
  const sound = { isRunning, mutedMs, enable, mute }
  provide(key, sound)
  return sound
}
