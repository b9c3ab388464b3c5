/** One frame of a room's picture as it travels: header length, JSON header, JPEG. Pure. */

export interface PictureHeader {
  seq: number
  camera_ms: number
  at_ms: number
}
export interface PictureFrame {
  header: PictureHeader
  jpeg: Uint8Array<ArrayBuffer>
}

const HEADER_MAX_BYTES = 1024

/** The frame in a binary message. Throws RangeError where the message is not one. */
export function parseFrame(message: ArrayBuffer): PictureFrame {
  const length = message.byteLength < 4 ? -1 : new DataView(message).getUint32(0)
  if (length < 0 || length > HEADER_MAX_BYTES || 4 + length > message.byteLength) {
    throw new RangeError(`not a picture frame: ${message.byteLength} bytes`)
  }
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length))) as PictureHeader
  return { header, jpeg: new Uint8Array(message, 4 + length) }
}
