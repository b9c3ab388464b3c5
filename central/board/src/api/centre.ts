/** The centre's HTTP API, as far as the pages use it. A refusal is an `ApiError` with the centre's code. */

import type { Alert, Fault, ReviewResult, Room, Station } from '../live/entities'

export type Role = 'watcher' | 'administrator'
export interface User {
  id: string
  name: string
  role: Role
}
export type Answer = 'yes' | 'no' | 'na'

export interface ReviewForm {
  result: ReviewResult
  checklist: Record<string, Answer>
  notes: string
  short_view_reason?: string
}

export interface Review extends Required<Omit<ReviewForm, 'short_view_reason'>> {
  id: string
  alert: string
  station: string
  room: string
  reviewer: string | { id: string; name: string }
  live: boolean
  viewed_ms: number
  short_view_reason: string | null
  edge_ms: number
  raised_ms: number
  claimed_ms: number | null
  reviewed_ms: number
  late: boolean
}

export interface StoredEvent {
  id: number
  edge: string
  epoch: string
  seq: number
  received_ms: number
  row: {
    kind: string
    at: number
    point: string | null
    data: Record<string, string | number | boolean | null>
  }
}

export interface Page {
  after?: string | number | null
  limit?: number
  last?: number
  room?: string
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly alert: Alert | null,
  ) {
    super(code)
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: 'same-origin', headers: { Accept: 'application/json' } }
  if (body !== undefined) {
    init.headers = { ...init.headers, 'Content-Type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  const response = await fetch(`/api/v1${path}`, init).catch(() => {
    throw new ApiError(0, 'network', null)
  })
  const text = await response.text()
  const answer = parsed(text) as { code?: string; alert?: Alert } | null
  if (!response.ok)
    throw new ApiError(response.status, answer?.code ?? `http.${response.status}`, answer?.alert ?? null)
  return answer as T
}

function parsed(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null
  } catch {
    return null
  }
}

function query(page: Page): string {
  const given = Object.entries(page).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  )
  return new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()
}

export const signIn = (form: { name: string; password: string; code?: string }) =>
  call<{ user: User }>('POST', '/sessions', form).then((answer) => answer.user)
export const currentUser = () =>
  call<{ user: User }>('GET', '/sessions/current').then((answer) => answer.user)
export const signOut = () => call<unknown>('DELETE', '/sessions/current')
export const invite = (role: Role) =>
  call<{ code: string; expires_ms: number }>('POST', '/invitations', { role })

export const stationsAndRooms = () => call<{ stations: Station[]; rooms: Room[] }>('GET', '/stations')
export const faults = () => call<{ faults: Fault[] }>('GET', '/faults').then((answer) => answer.faults)
export const settleFault = (id: string, reason: string) =>
  call<{ fault: Fault }>('POST', `/faults/${encodeURIComponent(id)}/settle`, { reason })
export const reviews = (page: Page) =>
  call<{ reviews: Review[]; next: string | number | null }>('GET', `/reviews?${query(page)}`)
export const events = (page: Page) =>
  call<{ events: StoredEvent[]; next: string | number | null }>('GET', `/events?${query(page)}`)

const act = (id: string, verb: string, body: { action_id: string; rev: number; [more: string]: unknown }) =>
  call<{ alert: Alert }>('POST', `/alerts/${encodeURIComponent(id)}/${verb}`, body).then(
    (answer) => answer.alert,
  )

export const claim = (alert: Alert, actionId: string) =>
  act(alert.id, 'claim', { action_id: actionId, rev: alert.rev })
export const release = (alert: Alert, actionId: string, reason: string) =>
  act(alert.id, 'release', { action_id: actionId, rev: alert.rev, reason })
export const review = (alert: Alert, actionId: string, form: ReviewForm) =>
  act(alert.id, 'review', { action_id: actionId, rev: alert.rev, ...form })
