/** One pulse for all that blinks on a page, under once a second: many animations of their own, each a layer to the
 * browser, cost a desk in a flood a tenth of a second a frame; and what blinks in step is easier on the eye. */

import { onBeforeUnmount } from 'vue'

const HALF_MS = 600

export function useBlink(): void {
  const page = document.documentElement
  const timer = setInterval(() => page.classList.toggle('is-between-blinks'), HALF_MS)
  onBeforeUnmount(() => {
    clearInterval(timer)
    page.classList.remove('is-between-blinks')
  })
}
