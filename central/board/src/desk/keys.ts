/** Which act a key means. Pure. Single keys never act inside a field, nor while an input method composes. */

import type { ReviewResult } from '../live/entities'

export type KeyAct =
  | { act: 'move'; by: 1 | -1 }
  | { act: 'result'; result: ReviewResult }
  | { act: 'claim' | 'release' | 'mute' | 'search' | 'help' | 'save' | 'leave' }

/** Where the key was pressed: in an open dialog, a field that takes text, a button, a card, or elsewhere. */
export type Place = 'dialog' | 'field' | 'control' | 'card' | 'page'

export interface Key {
  key: string
  keyCode: number
  isComposing: boolean
  repeat: boolean
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
}

const COMPOSING_KEY_CODE = 229
export const RESULTS: readonly ReviewResult[] = ['normal', 'problem', 'empty', 'device_fault']

export function keyAct(key: Key, place: Place): KeyAct | null {
  if (key.isComposing || key.keyCode === COMPOSING_KEY_CODE || place === 'dialog') return null
  if (key.key === 'Enter' && (key.ctrlKey || key.metaKey) && !key.repeat) return { act: 'save' }
  if (key.ctrlKey || key.metaKey || key.altKey) return null
  if (key.key === 'Escape') return { act: 'leave' }
  if (place === 'field') return null
  return single(key, place)
}

function single(key: Key, place: Place): KeyAct | null {
  switch (key.key) {
    case 'ArrowDown':
    case 'j':
    case 'J':
      return { act: 'move', by: 1 }
    case 'ArrowUp':
    case 'k':
    case 'K':
      return { act: 'move', by: -1 }
  }
  if (key.repeat) return null
  if (key.key >= '1' && key.key <= '4') return { act: 'result', result: RESULTS[Number(key.key) - 1]! }
  switch (key.key) {
    case 'Enter':
      return place === 'control' ? null : { act: 'claim' }
    case 'r':
    case 'R':
      return { act: 'release' }
    case 'm':
    case 'M':
      return { act: 'mute' }
    case '/':
      return { act: 'search' }
    case '?':
      return { act: 'help' }
    default:
      return null
  }
}

export function placeOf(target: EventTarget | null): Place {
  if (document.querySelector('dialog[open]')) return 'dialog'
  if (!(target instanceof HTMLElement)) return 'page'
  if (target.closest('.card')) return 'card'
  if (target.isContentEditable || target.closest('input, textarea, select')) return 'field'
  return target.closest('button, a, summary') ? 'control' : 'page'
}
