/** The newest events of a room, newest last, followed from where one left off. */

import { events, type StoredEvent } from '../api/centre'

const PAGE = 500
const PAGES_MAX = 40
export const KEPT = 200

/** `known` and what came after it, the last `KEPT` of both. */
export async function followed(room: string, known: readonly StoredEvent[]): Promise<StoredEvent[]> {
  if (known.length === 0) return (await events({ room, last: KEPT })).events
  let all = [...known]
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await events({ room, after: all[all.length - 1]?.id ?? null, limit: PAGE })
    all = [...all, ...answer.events].slice(-KEPT)
    if (answer.next === null || answer.events.length === 0) break
  }
  return all
}
