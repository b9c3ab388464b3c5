/** Ids made by this browser. `crypto.randomUUID` needs https; a station's intranet often has none. */

export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Names this browser to the centre, so that a dark wall can be told from a shut one. */
export function consoleId(): string {
  const kept = localStorage.getItem('casewatch.console')
  if (kept) return kept
  const made = randomId()
  localStorage.setItem('casewatch.console', made)
  return made
}
