/** Review logs being written, one an alert: whatever happens on the board, none is lost or mixed up. */

import { reactive } from 'vue'
import type { Answer, ReviewForm } from '../api/centre'
import type { ReviewResult, Rules } from '../live/entities'

export interface Draft {
  result: ReviewResult | null
  checklist: Record<string, Answer>
  notes: string
  shortReason: string
}

export type Missing = 'result' | 'notes' | 'reason'

const drafts = reactive(new Map<string, Draft>())

export function draftOf(alertId: string): Draft {
  const kept = drafts.get(alertId)
  if (kept) return kept
  drafts.set(alertId, { result: null, checklist: {}, notes: '', shortReason: '' })
  return drafts.get(alertId)!
}

export function dropDraft(alertId: string): void {
  drafts.delete(alertId)
}

export function isTouched(draft: Draft): boolean {
  return (
    draft.result !== null ||
    draft.notes !== '' ||
    draft.shortReason !== '' ||
    Object.keys(draft.checklist).length > 0
  )
}

/** How the alert's owner could look in. `isRefused`: the centre did not take the log as it was. */
export interface View {
  viewedMs: number
  hasCamera: boolean
  isRefused: boolean
  rules: Rules
}

/** A short view wants a reason; but not where no picture can be, nor where none came. */
export function isReasonDue(draft: Draft, view: View): boolean {
  if (!view.hasCamera) return false
  if (draft.result === 'device_fault' && view.viewedMs < view.rules.decoded_min_s * 1000) return false
  return view.isRefused || view.viewedMs < view.rules.min_view_s * 1000
}

/** What still keeps the log from being saved, first things first. */
export function missingIn(draft: Draft, view: View): Missing | null {
  if (draft.result === null) return 'result'
  if ((draft.result === 'problem' || !view.hasCamera) && draft.notes.trim() === '') return 'notes'
  return isReasonDue(draft, view) && draft.shortReason.trim() === '' ? 'reason' : null
}

/** The form to send; only for a draft that misses nothing. */
export function formOf(draft: Draft): ReviewForm {
  if (draft.result === null) throw new Error('a log without a result')
  const form: ReviewForm = {
    result: draft.result,
    checklist: { ...draft.checklist },
    notes: draft.notes.trim(),
  }
  const reason = draft.shortReason.trim()
  return reason ? { ...form, short_view_reason: reason } : form
}
