import { describe, expect, it } from 'vitest'
import { formatAge, formatDay, formatTime, ServerClock, staleness } from './ages'

describe('staleness', () => {
  it('turns amber at six seconds of silence and red at ten', () => {
    expect([0, 5_999, 6_000, 9_999, 10_000].map(staleness)).toEqual([
      'fresh',
      'fresh',
      'amber',
      'amber',
      'red',
    ])
  })
})

describe('ages', () => {
  it('are minutes and seconds, and longer where they must be', () => {
    expect([0, 999, 61_000, 3_599_000, 3_600_000, 90_061_000].map(formatAge)).toEqual([
      '00:00',
      '00:00',
      '01:01',
      '59:59',
      '1:00:00',
      '1d 01:01',
    ])
  })

  it('never run below zero', () => {
    expect(formatAge(-5_000)).toBe('00:00')
  })
})

describe('times', () => {
  const noon = Date.UTC(2016, 6, 23, 4, 5, 6)

  it('are those of the centre wherever the browser stands', () => {
    expect(formatTime(noon, 'Asia/Shanghai')).toBe('12:05:06')
    expect(formatDay(noon, 'Asia/Shanghai')).toBe('2016-07-23')
    expect(formatTime(noon, 'America/New_York')).toBe('00:05:06')
  })

  it('write midnight as 00', () => {
    expect(formatTime(Date.UTC(2016, 6, 22, 16, 0, 0), 'Asia/Shanghai')).toBe('00:00:00')
  })
})

describe('the clock of the centre', () => {
  it('goes on between frames by the monotonic clock alone', () => {
    const clock = new ServerClock()
    clock.observe(1_000_000, 50)
    expect(clock.now(1_050)).toBe(1_001_000)
  })

  it('does not run back for a frame that was held up on the way', () => {
    const clock = new ServerClock()
    clock.observe(1_000_000, 0)
    clock.observe(1_001_000, 4_000)
    expect(clock.now(4_000)).toBe(1_004_000)
  })

  it('follows the centre when its clock is set back', () => {
    const clock = new ServerClock()
    clock.observe(1_000_000, 0)
    for (let i = 1; i <= 8; i += 1) clock.observe(500_000 + i * 2_000, i * 2_000)
    expect(clock.now(16_000)).toBe(516_000)
  })
})
