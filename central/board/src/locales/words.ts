/** Words by typed keys. Chinese is the source and the default; the choice is kept in the browser. */

import { watchEffect, type App, type WritableComputedRef } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import type { Name } from '../live/entities'
import { en } from './en'
import { zh, type Words } from './zh'

export type Language = 'zh' | 'en'

type Keys<T> = { [K in keyof T & string]: T[K] extends string ? K : `${K}.${Keys<T[K]>}` }[keyof T & string]
export type WordKey = Keys<Words>
export type Say = (key: WordKey, values?: Record<string, string | number>) => string

const KEPT_AS = 'casewatch.language'

export const i18n = createI18n({
  legacy: false,
  locale: localStorage.getItem(KEPT_AS) === 'en' ? 'en' : 'zh',
  fallbackLocale: 'zh',
  messages: { zh, en },
})

/** Words for an app, with the document's `lang` always that of the words. */
export function useLanguages(app: App): App {
  watchEffect(() => {
    document.documentElement.lang = i18n.global.locale.value === 'en' ? 'en' : 'zh-CN'
  })
  return app.use(i18n)
}

export function useWords(): {
  t: Say
  named: (name: Name | undefined) => string
  language: WritableComputedRef<Language>
} {
  const { t, locale } = useI18n({ useScope: 'global' })
  const language = locale as WritableComputedRef<Language>
  return { t: t as Say, named: (name) => (name ? name[language.value] : ''), language }
}

export function switchLanguage(): void {
  const next: Language = i18n.global.locale.value === 'en' ? 'zh' : 'en'
  i18n.global.locale.value = next
  localStorage.setItem(KEPT_AS, next)
}

/** A word for a code of the centre that may be newer than this page: the known word, else the fallback. */
export function wordFor(group: Record<string, unknown>, code: string, fallback = 'other'): string {
  return code in group ? code : fallback
}
