/** What to look for in each kind of room: keys of the review log's checklist. */

import type { Room } from '../live/entities'
import type { Words } from '../locales/zh'

export type CheckKey = keyof Words['check']

const BY_KIND: Record<string, readonly CheckKey[]> = {
  interrogation_room: ['two_officers', 'recording_on', 'guarded', 'safe_furnishing', 'care_given'],
  inquiry_room: ['two_officers', 'recording_on', 'safe_furnishing', 'care_given'],
  juvenile_room: ['two_officers', 'guardian_present', 'female_staff', 'recording_on', 'safe_furnishing'],
  waiting_room: ['guarded', 'kept_apart', 'safe_furnishing', 'care_given'],
  safety_check: ['two_officers', 'check_before_entry', 'same_sex_check', 'items_registered'],
  info_collection: ['two_officers', 'check_before_entry', 'guarded'],
  lawyer_room: ['station_phoned', 'no_recording'],
}

/** Without a camera one can only ask the station. */
export function checklistOf(room: Room): readonly CheckKey[] {
  const keys = BY_KIND[room.kind] ?? (['guarded', 'safe_furnishing'] as const)
  return room.has_camera || room.kind === 'lawyer_room' ? keys : ['station_phoned', ...keys]
}
