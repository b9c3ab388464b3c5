/** Listens to the desk's keys for as long as the desk is on the page. */

import { onBeforeUnmount, onMounted } from 'vue'
import type { ReviewResult } from '../live/entities'
import { keyAct, placeOf } from './keys'

export interface KeyActs {
  move: (by: 1 | -1) => void
  result: (result: ReviewResult) => void
  claim: () => void
  release: () => void
  mute: () => void
  search: () => void
  help: () => void
  save: () => void
  leave: () => void
}

export function useKeys(acts: KeyActs): void {
  function onKey(event: KeyboardEvent): void {
    const meant = keyAct(event, placeOf(event.target))
    if (!meant) return
    event.preventDefault()
    switch (meant.act) {
      case 'move':
        return acts.move(meant.by)
      case 'result':
        return acts.result(meant.result)
      case 'leave':
        return leave(event.target)
      default:
        return acts[meant.act]()
    }
  }

  /** A button clicked with the mouse gives the focus up before it acts, or it would keep the next Enter. */
  function onClick({ detail, target }: MouseEvent): void {
    const button = detail > 0 && target instanceof Element ? target.closest('button') : null
    if (button && !button.closest('dialog, .card')) button.blur()
  }

  /** The first Escape leaves the field, the next one the room. */
  function leave(target: EventTarget | null): void {
    if (placeOf(target) === 'field' && target instanceof HTMLElement) target.blur()
    else acts.leave()
  }

  onMounted(() => {
    document.addEventListener('keydown', onKey)
    document.addEventListener('click', onClick, true)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('keydown', onKey)
    document.removeEventListener('click', onClick, true)
  })
}
