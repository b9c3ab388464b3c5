import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

/** Three pages, no inline script or style: the centre serves them under a strict content security policy. */
export default defineConfig({
  plugins: [vue()],
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  build: {
    target: 'chrome87',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ['index.html', 'wall.html', 'desk.html'] },
  },
  test: { include: ['src/**/*.test.ts'] },
})
