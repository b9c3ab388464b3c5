/** The desk's own state: which alert is chosen, what the watcher does to it, and what came of that. */

import {
  computed,
  inject,
  provide,
  ref,
  shallowRef,
  watch,
  type ComputedRef,
  type InjectionKey,
  type Ref,
  type ShallowRef,
} from 'vue'
import { ApiError, claim, release, review, type User } from '../api/centre'
import { randomId } from '../api/ids'
import type { Board } from '../live/board'
import type { Alert } from '../live/entities'
import { isWaiting } from '../live/queue'
import { useWords } from '../locales/words'
import { refusalWord } from '../parts/refusal'
import { draftOf, dropDraft, formOf } from './drafts'

export interface Notice {
  kind: 'good' | 'bad'
  text: string
}

export interface Desk {
  user: User
  /** The chosen alert as it is, or as it last was when it has ended. */
  chosen: ComputedRef<Alert | null>
  hasEnded: ComputedRef<boolean>
  isMine: ComputedRef<boolean>
  /** The centre did not take the chosen alert's log as it was. */
  isRefused: Ref<boolean>
  notice: ShallowRef<Notice | null>
  isBusy: Ref<boolean>
  choose: (id: string | null) => void
  claim: () => Promise<void>
  release: (reason: string) => Promise<boolean>
  save: () => Promise<boolean>
}

const key: InjectionKey<Desk> = Symbol('desk')

export function useDesk(): Desk {
  const desk = inject(key)
  if (!desk) throw new Error('no desk on this page')
  return desk
}

const NOTICE_MS = 8_000

export function startDesk(board: Board, user: User): Desk {
  const { t } = useWords()
  const chosenId = ref<string | null>(null)
  const last = shallowRef<Alert | null>(null)
  const live = computed(() => (chosenId.value ? (board.model.value.alerts[chosenId.value] ?? null) : null))
  const chosen = computed(() => live.value ?? (chosenId.value ? last.value : null))
  const notice = shallowRef<Notice | null>(null)
  const isBusy = ref(false)
  const isRefused = ref(false)
  let reviewActionId = randomId()
  let noticeTimer: ReturnType<typeof setTimeout> | undefined

  watch(live, (alert) => {
    if (alert) last.value = alert
  })

  function say(kind: Notice['kind'], text: string): void {
    clearTimeout(noticeTimer)
    notice.value = { kind, text }
    noticeTimer = setTimeout(() => {
      notice.value = null
    }, NOTICE_MS)
  }

  function choose(id: string | null): void {
    if (id === chosenId.value) return
    chosenId.value = id
    last.value = null
    isRefused.value = false
    reviewActionId = randomId()
  }

  /** True where the centre took the act. A refusal is told; one by another's act names the winner. */
  async function act(work: (alert: Alert) => Promise<Alert>): Promise<boolean> {
    const alert = chosen.value
    if (!alert || isBusy.value) return false
    isBusy.value = true
    try {
      const after = await work(alert)
      if (chosenId.value === after.id) last.value = after
      return true
    } catch (error) {
      if (error instanceof ApiError && error.status > 0) reviewActionId = randomId()
      if (error instanceof ApiError && error.status === 422) isRefused.value = true
      say('bad', refusal(error))
      return false
    } finally {
      isBusy.value = false
    }
  }

  function refusal(error: unknown): string {
    const owner = error instanceof ApiError ? error.alert?.owner : null
    if (owner && owner.id !== user.id)
      return `${t('desk.taken', { name: owner.name })} · ${t('desk.takenHelp', { name: owner.name })}`
    return error instanceof ApiError && error.status === 409 ? t('desk.changed') : refusalWord(t, error)
  }

  const desk: Desk = {
    user,
    chosen,
    notice,
    isBusy,
    isRefused,
    choose,
    hasEnded: computed(() => chosen.value !== null && live.value === null),
    isMine: computed(() => live.value?.owner?.id === user.id),
    claim: async () => {
      if (chosen.value && isWaiting(chosen.value)) await act((alert) => claim(alert, randomId()))
    },
    release: async (reason) => {
      const done = await act((alert) => release(alert, randomId(), reason))
      if (done) say('good', t('desk.released'))
      return done
    },
    save: async () => {
      const id = chosen.value?.id
      const done = await act((alert) => review(alert, reviewActionId, formOf(draftOf(alert.id))))
      if (!done || !id) return false
      say('good', t('desk.saved'))
      dropDraft(id)
      if (chosenId.value === id) choose(null)
      return true
    },
  }
  provide(key, desk)
  return desk
}
