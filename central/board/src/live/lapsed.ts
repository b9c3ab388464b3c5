/** How many alerts were missed today, by the centre's zone: the live ones, and those reviewed late since. */

import { computed, ref, watch, type ComputedRef } from 'vue'
import { reviews } from '../api/centre'
import { formatDay } from './ages'
import { useBoard } from './board'
import { lapsedOn } from './queue'

export function useLapsedToday(): ComputedRef<number> {
  const { model, nowMs } = useBoard()
  const ended = ref<{ id: string; atMs: number }[]>([])
  const live = computed(() => lapsedOn(Object.values(model.value.alerts), nowMs.value, model.value.zone))

  async function fetchEnded(): Promise<void> {
    const page = await reviews({ limit: 200 }).catch(() => null)
    if (page)
      ended.value = page.reviews
        .filter((one) => one.late)
        .map((one) => ({ id: one.alert, atMs: one.raised_ms }))
  }
  watch(
    () => model.value.epoch,
    (epoch) => epoch && void fetchEnded(),
    { immediate: true },
  )
  watch(live, (now, before) => {
    if (before.some((id) => !now.includes(id))) void fetchEnded()
  })

  return computed(() => {
    const day = formatDay(nowMs.value, model.value.zone)
    const today = ended.value
      .filter(({ atMs }) => formatDay(atMs, model.value.zone) === day)
      .map(({ id }) => id)
    return new Set([...live.value, ...today]).size
  })
}
