/** The word for a fault: of the picture what is wrong with it, else its kind. */

import type { Fault } from '../live/entities'
import { wordFor, type Say, type WordKey } from '../locales/words'
import { zh } from '../locales/zh'

export function faultWord(t: Say, fault: Fault): string {
  if (fault.kind === 'picture' && fault.detail in zh.picture) return t(`picture.${fault.detail}` as WordKey)
  return t(`fault.${wordFor(zh.fault, fault.kind, 'title')}` as WordKey)
}
