import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { inspect, runTool } from '../../src/workers/tool.ts'
import { temporaryFolder } from '../helpers/repository.ts'

test('what a tool says comes back with its status, and so does why it cannot be started', async () => {
  const options = { cwd: '/', env: process.env, signal: new AbortController().signal }
  expect(await runTool('sh', ['-c', 'echo out; echo problem >&2; exit 3'], options)).toEqual({
    status: 3,
    stdout: 'out\n',
    stderr: 'problem\n',
  })
  expect(await inspect('/nowhere/python3', [], 5000)).toMatchObject({
    status: undefined,
    stderr: expect.stringContaining('ENOENT'),
  })
})

test('nothing that it has started is left when it is stopped', async () => {
  const file = path.join(temporaryFolder(), 'later')
  const command = ['-c', `(sleep 1; touch '${file}') & sleep 60`]
  const stopping = new AbortController()
  const running = runTool('sh', command, { cwd: '/', env: process.env, signal: stopping.signal })
  setTimeout(() => stopping.abort(new Error('enough')), 100)
  await expect(running).rejects.toThrow('enough')
  expect(await inspect('sh', command, 100)).toEqual({
    status: undefined,
    stdout: '',
    stderr: 'no answer within 100 ms',
  })
  await new Promise(resolve => setTimeout(resolve, 1500))
  expect(existsSync(file)).toBe(false)
})
