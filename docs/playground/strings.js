// The page's words in both languages. Both have the same keys.

import { computed, inject, provide } from "vue";
import { en } from "./strings/en.js";
import { zh } from "./strings/zh.js";

export const STRINGS = { en, zh };

const KEY = Symbol("strings");

/**
 * @param {() => keyof typeof STRINGS} locale
 * @returns {typeof en}
 */
export function provideStrings(locale) {
  const strings = computed(() => STRINGS[locale()]);
  const t = new Proxy({}, { get: (_, key) => strings.value[key] });
  provide(KEY, t);
  return t;
}

/** @returns {typeof en} */
export function useStrings() {
  return inject(KEY);
}
