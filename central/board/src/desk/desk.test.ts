import { describe, expect, it } from 'vitest'
import { draftOf, formOf, isTouched, missingIn, type Draft, type View } from './drafts'
import { parseFrame } from './frame'
import { keyAct, type Key, type Place } from './keys'
import { thingOf } from './thing'

const key = (name: string, more: Partial<Key> = {}): Key => ({
  key: name,
  keyCode: 0,
  isComposing: false,
  repeat: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
})
const PLACES: readonly Place[] = ['dialog', 'field', 'control', 'card', 'page']

describe('keys', () => {
  it('claim, move and give a result from the page and from a card', () => {
    expect(keyAct(key('Enter'), 'page')).toEqual({ act: 'claim' })
    expect(keyAct(key('Enter'), 'card')).toEqual({ act: 'claim' })
    expect(keyAct(key('j'), 'page')).toEqual({ act: 'move', by: 1 })
    expect(keyAct(key('ArrowUp'), 'page')).toEqual({ act: 'move', by: -1 })
    expect(keyAct(key('4'), 'control')).toEqual({ act: 'result', result: 'device_fault' })
  })

  it('never act inside a field, but for saving and leaving', () => {
    for (const name of ['j', 'k', 'r', 'm', '/', '?', '1', 'Enter', 'ArrowDown'])
      expect(keyAct(key(name), 'field')).toBeNull()
    expect(keyAct(key('Enter', { ctrlKey: true }), 'field')).toEqual({ act: 'save' })
    expect(keyAct(key('Escape'), 'field')).toEqual({ act: 'leave' })
  })

  it('never act while an input method composes, wherever that is', () => {
    for (const place of PLACES) {
      expect(keyAct(key('Enter', { isComposing: true, ctrlKey: true }), place)).toBeNull()
      expect(keyAct(key('j', { keyCode: 229 }), place)).toBeNull()
    }
  })

  it('leave Enter to the button that has the focus, and everything to an open dialog', () => {
    expect(keyAct(key('Enter'), 'control')).toBeNull()
    for (const name of ['Enter', 'Escape', 'r', '1']) expect(keyAct(key(name), 'dialog')).toBeNull()
  })

  it('do not fire again while a key is held down, but for moving', () => {
    expect(keyAct(key('Enter', { repeat: true }), 'page')).toBeNull()
    expect(keyAct(key('j', { repeat: true }), 'page')).toEqual({ act: 'move', by: 1 })
  })

  it('leave the browser its own shortcuts', () => {
    expect(keyAct(key('r', { ctrlKey: true }), 'page')).toBeNull()
  })
})

describe('the review log', () => {
  const draft = (more: Partial<Draft> = {}): Draft => ({
    result: 'normal',
    checklist: {},
    notes: '',
    shortReason: '',
    ...more,
  })

  const rules = { min_view_s: 20, decoded_min_s: 2 }
  const view = (viewedMs: number, more: Partial<View> = {}): View => ({
    viewedMs,
    hasCamera: true,
    isRefused: false,
    rules,
    ...more,
  })

  it('needs a result, words for a problem, and a reason for a short view', () => {
    expect(missingIn(draft({ result: null }), view(30_000))).toBe('result')
    expect(missingIn(draft({ result: 'problem', notes: '  ' }), view(30_000))).toBe('notes')
    expect(missingIn(draft(), view(19_999))).toBe('reason')
    expect(missingIn(draft({ shortReason: 'gone' }), view(19_999))).toBeNull()
    expect(missingIn(draft(), view(20_000))).toBeNull()
  })

  it('needs a reason too when the centre has counted less than this page', () => {
    expect(missingIn(draft(), view(20_000, { isRefused: true }))).toBe('reason')
  })

  it('needs no reason for a picture that never came', () => {
    expect(missingIn(draft({ result: 'device_fault' }), view(0))).toBeNull()
    expect(missingIn(draft({ result: 'device_fault' }), view(2_000))).toBe('reason')
  })

  it('needs words instead of a picture where there is no camera', () => {
    expect(missingIn(draft(), view(0, { hasCamera: false }))).toBe('notes')
    expect(missingIn(draft({ notes: 'telephoned' }), view(0, { hasCamera: false }))).toBeNull()
  })

  it('sends no reason where none was given', () => {
    expect(formOf(draft({ notes: ' seen ' }))).toEqual({ result: 'normal', checklist: {}, notes: 'seen' })
    expect(formOf(draft({ shortReason: 'gone' })).short_view_reason).toBe('gone')
  })

  it('is kept for each alert while another one is chosen', () => {
    draftOf('a').notes = 'half a sentence'
    expect(draftOf('b').notes).toBe('')
    expect(draftOf('a').notes).toBe('half a sentence')
    expect([isTouched(draftOf('a')), isTouched(draftOf('b'))]).toEqual([true, false])
  })
})

describe('the thing of a point', () => {
  it('is the door or the camera, or none', () => {
    expect(thingOf('chengdong.waiting.door')).toBe('door')
    expect(thingOf('chengdong.waiting.picture')).toBe('picture')
    expect(thingOf('chengdong.cabinet.slot1')).toBeNull()
    expect(thingOf(null)).toBeNull()
  })
})

describe('a picture frame', () => {
  const message = (header: string, jpeg: number[]): ArrayBuffer => {
    const text = new TextEncoder().encode(header)
    const bytes = new Uint8Array(4 + text.length + jpeg.length)
    new DataView(bytes.buffer).setUint32(0, text.length)
    bytes.set(text, 4)
    bytes.set(jpeg, 4 + text.length)
    return bytes.buffer
  }

  it('is a header and a picture', () => {
    const frame = parseFrame(message('{"seq":3,"camera_ms":5,"at_ms":6}', [255, 216]))
    expect(frame.header).toEqual({ seq: 3, camera_ms: 5, at_ms: 6 })
    expect([...frame.jpeg]).toEqual([255, 216])
  })

  it('is refused when its header does not fit', () => {
    const cut = new ArrayBuffer(6)
    new DataView(cut).setUint32(0, 400)
    expect(() => parseFrame(cut)).toThrow(RangeError)
    expect(() => parseFrame(new ArrayBuffer(2))).toThrow(RangeError)
  })
})
