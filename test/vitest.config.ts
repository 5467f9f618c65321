import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/set-up.ts'],
    // Most of them wait for processes of their own: half as many again as there are cores keep all of these busy.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    root: new URL('..', import.meta.url).pathname,
  },
})
