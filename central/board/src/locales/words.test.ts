import { describe, expect, it } from 'vitest'
import { en } from './en'
import { zh } from './zh'

const CJK = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]/
const sources = import.meta.glob(['../**/*.{ts,vue,css,svg}', '../../*.html', '!./zh.ts', '!./en.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
}) as Record<string, string>

function leaves(words: object, path = ''): [string, string][] {
  return Object.entries(words).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'string'
      ? [[`${path}${key}`, value] as [string, string]]
      : leaves(value as object, `${path}${key}.`),
  )
}

function placeholders(text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).sort()
}

describe('words', () => {
  const [chinese, english] = [new Map(leaves(zh)), new Map(leaves(en))]

  it('have the same keys in both languages, and none is empty', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
    expect([...chinese, ...english].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  it('take the same values in both languages', () => {
    const differing = [...chinese].filter(
      ([key, text]) => `${placeholders(text)}` !== `${placeholders(english.get(key) ?? '')}`,
    )
    expect(differing).toEqual([])
  })

  it('carry no sign that the message format would take for its own', () => {
    expect([...chinese, ...english].filter(([, text]) => /[@|]/.test(text))).toEqual([])
  })

  it('stand nowhere but in the locale files', () => {
    expect(Object.keys(sources).length).toBeGreaterThan(50)
    expect(Object.keys(sources).filter((path) => CJK.test(sources[path]!))).toEqual([])
  })

  it('are all used', () => {
    const text = Object.values(sources).join('\n')
    const isUsed = (key: string): boolean => {
      const group = key.slice(0, key.lastIndexOf('.') + 1)
      return text.includes(`'${key}'`) || text.includes(`\`${group}\${`)
    }
    expect([...chinese.keys()].filter((key) => !isUsed(key))).toEqual([])
  })
})
