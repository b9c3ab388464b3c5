/** The thing a point watches, by the last part of the point's id; null where that says none. Pure. */
export function thingOf(point: string | null): 'door' | 'picture' | null {
  const last = point?.split('.').at(-1)
  return last === 'door' || last === 'picture' ? last : null
}
