/** What the browser's tab says when the page is not in front: how many wait, and is the board alive. */

import { computed, watchEffect } from 'vue'
import alertIcon from '../icons/alert.svg?url'
import quietIcon from '../icons/quiet.svg?url'
import staleIcon from '../icons/stale.svg?url'
import type { Board } from '../live/board'
import { totals } from '../live/queue'
import { useWords } from '../locales/words'

export function useAttention(board: Board, page: 'wall' | 'desk'): void {
  const { t } = useWords()
  const waiting = computed(() => totals(board.model.value).waiting)
  const isDead = computed(() => board.staleness.value === 'red')
  watchEffect(() => {
    const title = t('product.pageTitle', { page: t(`product.${page}`) })
    const badge = isDead.value ? '(!) ' : waiting.value > 0 ? `(${waiting.value}) ` : ''
    document.title = badge + title
    showIcon(isDead.value ? staleIcon : waiting.value > 0 ? alertIcon : quietIcon)
  })
}

function showIcon(url: string): void {
  document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.setAttribute('href', url)
}
