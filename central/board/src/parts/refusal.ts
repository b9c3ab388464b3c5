/** The word for a refused or failed act, by the centre's stable code. */

import { ApiError } from '../api/centre'
import { wordFor, type Say, type WordKey } from '../locales/words'
import { zh } from '../locales/zh'

export function refusalWord(t: Say, error: unknown): string {
  const code = error instanceof ApiError ? error.code : 'page'
  const known = wordFor(zh.error, code.replace('.', '_'))
  return t(`error.${known}` as WordKey, { code })
}
