/** The board's model and how each frame of the live channel changes it. Pure: no clock, no socket. */

import type { Alert, Cabinet, Change, Fault, Frame, Room, Rules, Snapshot, Station } from './entities'

type ById<T> = Readonly<Record<string, T>>

export interface BoardModel {
  readonly epoch: string | null
  readonly seq: number
  readonly zone: string
  readonly rules: Rules
  /** True from the loss of the channel until the centre has said what is still true. */
  readonly suspect: boolean
  /** A heartbeat spoke of a change that has not come; a second such heartbeat means that it is lost. */
  readonly behind: boolean
  readonly stations: ById<Station>
  readonly rooms: ById<Room>
  readonly cabinets: ById<Cabinet>
  readonly alerts: ById<Alert>
  readonly faults: ById<Fault>
}

/** `askAgain`: the model is no longer whole, and only a fresh snapshot makes it whole. */
export interface Reduced {
  readonly model: BoardModel
  readonly askAgain: boolean
}

export const emptyModel: BoardModel = {
  epoch: null,
  seq: 0,
  zone: 'Asia/Shanghai',
  rules: { min_view_s: 20, decoded_min_s: 2 },
  suspect: true,
  behind: false,
  stations: {},
  rooms: {},
  cabinets: {},
  alerts: {},
  faults: {},
}

export function reduce(model: BoardModel, frame: Frame): Reduced {
  switch (frame.type) {
    case 'snapshot':
      return whole(fromSnapshot(frame))
    case 'resume':
      return resumed(model, frame.epoch)
    case 'changes':
      return applied(model, frame.changes)
    case 'hb':
      return heard(model, frame.seq)
  }
}

/** The channel is gone: nothing that is shown is known to be true any more. */
export function markSuspect(model: BoardModel): BoardModel {
  return { ...model, suspect: true, behind: false }
}

function whole(model: BoardModel): Reduced {
  return { model, askAgain: false }
}

/** What the snapshot does not name was suspect and is dropped. */
function fromSnapshot(frame: Snapshot): BoardModel {
  return {
    epoch: frame.epoch,
    seq: frame.seq,
    zone: frame.zone,
    rules: frame.rules,
    suspect: false,
    behind: false,
    stations: byId(frame.stations),
    rooms: byId(frame.rooms),
    cabinets: byId(frame.cabinets),
    alerts: byId(frame.alerts.filter((alert) => !isDone(alert))),
    faults: byId(frame.faults.filter((fault) => fault.cleared_ms === null)),
  }
}

function resumed(model: BoardModel, epoch: string): Reduced {
  if (epoch !== model.epoch) return { model, askAgain: true }
  return whole({ ...model, suspect: false, behind: false })
}

function applied(model: BoardModel, changes: readonly Change[]): Reduced {
  if (model.epoch === null) return { model, askAgain: true }
  let next = model
  for (const change of changes) {
    if (change.seq <= next.seq) continue
    if (change.seq !== next.seq + 1) return { model: next, askAgain: true }
    next = withChange({ ...next, seq: change.seq, behind: false }, change)
  }
  return whole(next)
}

function heard(model: BoardModel, seq: number): Reduced {
  const behind = seq > model.seq
  if (behind && model.behind) return { model, askAgain: true }
  return whole(behind === model.behind ? model : { ...model, behind })
}

function withChange(model: BoardModel, change: Change): BoardModel {
  switch (change.kind) {
    case 'station':
      return { ...model, stations: put(model.stations, change.entity) }
    case 'room':
      return { ...model, rooms: put(model.rooms, change.entity) }
    case 'cabinet':
      return { ...model, cabinets: put(model.cabinets, change.entity) }
    case 'alert':
      return { ...model, alerts: put(model.alerts, change.entity, isDone(change.entity)) }
    case 'fault':
      return { ...model, faults: put(model.faults, change.entity, change.entity.cleared_ms !== null) }
    default:
      return model
  }
}

/** Nobody has anything left to do about it. */
function isDone(alert: Alert): boolean {
  return alert.state === 'REVIEWED'
}

/** The collection with the entity in its place, or without it when it is over. */
function put<T extends { id: string }>(all: ById<T>, entity: T, isOver = false): ById<T> {
  if (!isOver) return { ...all, [entity.id]: entity }
  const { [entity.id]: _over, ...rest } = all
  return rest
}

function byId<T extends { id: string }>(list: readonly T[]): ById<T> {
  return Object.fromEntries(list.map((entity) => [entity.id, entity]))
}
