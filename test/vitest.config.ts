import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/build-writer.ts'],
    // Most of them wait for processes of their own: one core more than vitest would take keeps both busy.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    root: new URL('..', import.meta.url).pathname,
  },
})
