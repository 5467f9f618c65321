import { execFile } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { LoopaiClient } from '../../src/client.ts'
import { peekActive } from '../../src/store/active.ts'
import { askConstantly, watchActivations } from '../helpers/load.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { serveProcess } from '../helpers/serve-process.ts'
import { activate, appOf, dataDirectory, SPAM } from '../helpers/served.ts'
import { activateVersion, addVersion, makeApp } from '../helpers/versions.ts'

const answering = (name: string) => `def execute(input_data):\n    return "${name}"\n`

test('a thousand promotions and rollbacks under constant load fail no request, and nobody is answered by a version that was not active', {
  timeout: 180_000,
}, async () => {
  const programs = ['1', '2', '3'].map(answering)
  const root = await dataDirectory({ programs, active: 1, output: { type: 'string' } })
  const app = await appOf(root)
  const server = await serveProcess(root)
  const client = new LoopaiClient(SPAM, { baseUrl: server.url })
  // Each has run once, so that none takes longer to start than a request waits for it.
  for (const version of [2, 3, 1]) {
    await activate(app, version)
    await expect.poll(() => versionNow(client), { timeout: 20_000 }).toBe(version)
  }
  const activations = watchActivations(1)
  const load = askConstantly(SPAM, server.url, 4)
  for (let count = 0; count < 1000; count++) {
    await activations.during(async () => {
      const version = 1 + Math.floor(Math.random() * 3)
      await activate(app, version)
      return version
    })
    await sleep(3)
  }
  const { answers, problems } = await load.stop()
  expect(problems).toEqual([])
  expect(answers.filter(({ version, output }) => output !== String(version))).toEqual([])
  expect(answers.filter(answer => !activations.wasActive(answer))).toEqual([])
  expect(answers.length).toBeGreaterThan(1000)
})

test('while new versions and promotions are pulled in a loop no request fails, and only what is active answers', {
  timeout: 180_000,
}, async () => {
  Object.assign(process.env, USER_ENV)
  const upstream = temporaryFolder()
  const workspace = await makeApp(upstream, SPAM, '1', '2')
  const clone = path.join(temporaryFolder(), 'clone')
  runGit(upstream, 'clone', '-q', upstream, clone)
  const app = await appOf(clone)
  const server = await serveProcess(clone)
  const client = new LoopaiClient(SPAM, { baseUrl: server.url })
  const activations = watchActivations(peekActive(app)!)
  const load = askConstantly(SPAM, server.url, 4)
  let isOver = false
  let pulls = 0
  const pulling = (async () => {
    while (!isOver) {
      await activations.during(async () => {
        await promisify(execFile)('git', ['pull', '-q', '--ff-only'], { cwd: clone })
        return peekActive(app)!
      })
      pulls++
    }
  })()
  try {
    let latest = 2
    for (let count = 0; count < 20; count++) {
      if (count % 5 === 0) latest = await addVersion(workspace, SPAM, String(latest + 1))
      await activateVersion(workspace, SPAM, 1 + ((latest + count) % latest))
    }
  } finally {
    isOver = true
  }
  await pulling
  await activations.during(async () => {
    runGit(clone, 'pull', '-q', '--ff-only')
    return peekActive(app)!
  })
  await expect.poll(() => versionNow(client), { timeout: 20_000 }).toBe(peekActive(app))
  const { answers, problems } = await load.stop()
  expect(problems).toEqual([])
  expect(answers.filter(({ version, output }) => output !== String(version))).toEqual([])
  const stale = answers.filter(answer => !activations.wasActive(answer))
  // On a machine that is so busy that a new version takes longer than a second to start, the one before it answers, and that is counted.
  expect(stale.length).toBeLessThanOrEqual(await fallbacks(server.url))
  expect(pulls).toBeGreaterThan(3)
})

async function versionNow(client: LoopaiClient): Promise<number> {
  return (await client.execute({ text: 'a' })).version
}

async function fallbacks(url: string): Promise<number> {
  const health = await (await fetch(`${url}/healthz`)).json()
  return (health as { loop_apps: { fallbacks: number }[] }).loop_apps[0]!.fallbacks
}
