/** Plays a room's picture onto a canvas: the newest frame only, never a queue of old ones. */

import { backoffMs } from '../live/connection'
import { socketUrl } from '../live/board'
import { parseFrame, type PictureFrame, type PictureHeader } from './frame'

export interface NoPicture {
  code: string
  since_ms: number
}

export interface PlayerEvents {
  presented: (header: PictureHeader) => void
  noPicture: (why: NoPicture) => void
}

export class Player {
  private socket: WebSocket | null = null
  private waiting: PictureFrame | null = null
  private isDrawing = false
  private isStopped = false
  private attempt = 0
  private retry: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly room: string,
    private readonly alert: string,
    private readonly events: PlayerEvents,
  ) {}

  start(): void {
    const path = `/api/v1/rooms/${encodeURIComponent(this.room)}/live?alert=${encodeURIComponent(this.alert)}`
    const socket = new WebSocket(socketUrl(path))
    socket.binaryType = 'arraybuffer'
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.received(event.data)
    socket.onclose = () => this.lost()
    this.socket = socket
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.retry)
    this.socket?.close()
  }

  private lost(): void {
    if (this.isStopped) return
    this.retry = setTimeout(() => this.start(), backoffMs(this.attempt, Math.random()))
    this.attempt += 1
  }

  private received(data: ArrayBuffer | string): void {
    this.attempt = 0
    if (typeof data === 'string') {
      const message = JSON.parse(data) as NoPicture & { type: string }
      if (message.type === 'no_picture') this.events.noPicture(message)
      return
    }
    this.waiting = parseFrame(data)
    if (!this.isDrawing) void this.draw()
  }

  private async draw(): Promise<void> {
    this.isDrawing = true
    while (this.waiting && !this.isStopped) {
      const frame = this.waiting
      this.waiting = null
      await this.show(frame).catch((error: unknown) => console.warn('picture frame not shown', error))
    }
    this.isDrawing = false
  }

  private async show({ header, jpeg }: PictureFrame): Promise<void> {
    const bitmap = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }))
    if (this.canvas.width !== bitmap.width) this.canvas.width = bitmap.width
    if (this.canvas.height !== bitmap.height) this.canvas.height = bitmap.height
    this.canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
    bitmap.close()
    await new Promise(requestAnimationFrame)
    if (this.isStopped) return
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type: 'presented', seq: header.seq }))
    }
    this.events.presented(header)
  }
}
