/** Where a person goes after signing in. Pure. */

import type { User } from '../api/centre'

const PAGES = ['/wall', '/desk']

/** The page asked for, if it is one of ours and theirs; a watcher's is the desk; null to stay. */
export function destinationOf(user: User, asked: string | null): string | null {
  if (user.role === 'administrator') return asked === '/wall' ? asked : null
  return asked && PAGES.includes(asked) ? asked : '/desk'
}
