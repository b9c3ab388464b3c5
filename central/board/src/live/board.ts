/** The live board of a page: the model, the centre's clock, and how fresh both are. One a page. */

import { inject, nextTick, provide, ref, shallowRef, type InjectionKey, type Ref, type ShallowRef } from 'vue'
import { ApiError, currentUser } from '../api/centre'
import { consoleId } from '../api/ids'
import { ServerClock, staleness, type Staleness } from './ages'
import { Connection, type Phase, type Wire } from './connection'
import type { Frame } from './entities'
import { emptyModel, markSuspect, reduce, type BoardModel } from './model'
import { probe } from './probe'

export interface Board {
  model: ShallowRef<BoardModel>
  phase: Ref<Phase>
  attempt: Ref<number>
  /** The centre's time, in whole seconds; it stands still while the channel is dead. */
  nowMs: Ref<number>
  /** The centre's time to the millisecond. */
  centreNow: () => number
  /** When the centre was last heard, by its own clock; 0 before the first frame. */
  heardMs: Ref<number>
  silentMs: Ref<number>
  staleness: Ref<Staleness>
  /** Turns with every frame: what re-arms the dead man's banner. */
  beat: Ref<number>
}

const key: InjectionKey<Board> = Symbol('board')

export function useBoard(): Board {
  const board = inject(key)
  if (!board) throw new Error('no board on this page')
  return board
}

export function startBoard(view: 'wall' | 'desk'): Board {
  const clock = new ServerClock()
  const board: Board = {
    model: shallowRef(emptyModel),
    phase: ref('connecting'),
    attempt: ref(0),
    nowMs: ref(0),
    heardMs: ref(0),
    silentMs: ref(0),
    staleness: ref('fresh'),
    beat: ref(0),
    centreNow: () => clock.now(performance.now()),
  }
  provide(key, board)
  let heardMono = performance.now()

  function onFrame(frame: Frame): void {
    heardMono = performance.now()
    clock.observe(frame.server_ms, heardMono)
    board.heardMs.value = frame.server_ms
    board.beat.value += 1
    const before = board.model.value
    const { model, askAgain } = reduce(before, frame)
    board.model.value = model
    probe.frames += 1
    probe.lastSeq = model.seq
    tick()
    if (askAgain) {
      board.model.value = { ...markSuspect(model), epoch: null }
      connection.restart()
    } else if (model.seq !== before.seq || frame.type === 'snapshot') acknowledgePainted()
  }

  function onPhase(phase: Phase, attempt: number): void {
    board.phase.value = phase
    board.attempt.value = attempt
    if (phase === 'waiting') {
      board.model.value = markSuspect(board.model.value)
      void leaveIfSignedOut()
    }
  }

  /** After two animation frames what was applied has been on the screen. */
  function acknowledgePainted(): void {
    void nextTick(() =>
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          connection.painted(board.model.value.seq)
        }),
      ),
    )
  }

  function tick(): void {
    const mono = performance.now()
    board.silentMs.value = mono - heardMono
    board.staleness.value = staleness(board.silentMs.value)
    if (board.staleness.value !== 'red' && clock.isSet) {
      board.nowMs.value = Math.floor(clock.now(mono) / 1000) * 1000
    }
  }

  const connection = new Connection({
    open: openLive,
    hello: () => ({ epoch: board.model.value.epoch, seq: board.model.value.seq, view, console: consoleId() }),
    onFrame,
    onPhase,
  })
  startTicker(tick)
  connection.start()
  return board
}

export function socketUrl(path: string): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`
}

function openLive(): Wire {
  return new WebSocket(socketUrl('/api/v1/live')) as Wire
}

function startTicker(tick: () => void): void {
  const worker = new Worker(new URL('./ticker.ts', import.meta.url), { type: 'module' })
  worker.onmessage = tick
  document.addEventListener('visibilitychange', tick)
}

/** A refused channel looks like a broken one; only the API can tell that the session has ended. */
async function leaveIfSignedOut(): Promise<void> {
  try {
    await currentUser()
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      location.assign(`/?next=${encodeURIComponent(location.pathname)}`)
    }
  }
}
