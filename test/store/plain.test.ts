import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { check } from '../../src/actions/check.ts'
import { doctor } from '../../src/actions/doctor.ts'
import { list } from '../../src/actions/list.ts'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { stats } from '../../src/actions/stats.ts'
import { readPlain, readPlainText } from '../../src/store/plain.ts'
import { temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'
const APP = `loop-apps/${ID}`

/** What may be in the place of a file; `content` is a file with what was there. */
const ODD: [string, put: (file: string, content: string) => void][] = [
  ['a link to a file', (file, content) => symlinkSync(content, file)],
  ['a link to a device without an end', file => symlinkSync('/dev/zero', file)],
  ['a pipe that nobody writes to', file => execFileSync('mkfifo', [file])],
  ['a folder', file => mkdirSync(file)],
  ['a file of 70 MB', file => writeHole(file, 70e6)],
]

test('a file is read whole, and nothing is read of what is none or is too large', () => {
  const file = path.join(temporaryFolder(), 'file')
  writeFileSync(file, 'grün')
  expect(readPlainText(file, 5)).toBe('grün')
  expect(readPlain(file, 5)).toEqual(Buffer.from('grün'))
  expect(() => readPlainText(file, 4)).toThrow(expect.objectContaining({ code: 'INTEGRITY' }))
  expect(() => readPlainText(`${file}.missing`, 4)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  for (const [, put] of ODD) {
    const putBack = replace(file, put)
    expect(() => readPlain(file, 1000)).toThrow(expect.objectContaining({ code: 'INTEGRITY' }))
    putBack()
  }
})

/** Files of an app, and what check calls a finding about them. */
const OWN = [
  ['artifacts/v2/manifest.json', 'version'],
  ['history.jsonl', 'history'],
  ['artifacts/active', 'active'],
  ['config.yaml', 'config'],
  ['tests/cases.jsonl', 'rows'],
  ['datasets/examples/odd.jsonl', 'rows'],
] as const

test.each(ODD)(
  '%s is read by no command, in the place of whatever file',
  { timeout: 60_000 },
  async (what, put) => {
    Object.assign(process.env, USER_ENV)
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one', 'two')
    const broken = { code: 'INTEGRITY' }
    for (const [name, kind] of OWN) {
      const putBack = replace(path.join(root, APP, name), put)
      const { findings } = await check(workspace, {})
      expect(
        findings.map(finding => finding.kind),
        name,
      ).toContain(kind)
      if (kind !== 'rows')
        await expect(openExecutor(workspace, ID, { source: 'cli' }), name).rejects.toMatchObject(broken)
      if (!['rows', 'config'].includes(kind))
        expect(await list(workspace), name).toMatchObject([{ state: 'broken' }])
      putBack()
    }
    // Git itself waits for a pipe; a branch cannot have one.
    for (const name of what.includes('pipe') ? ['loopai.yaml'] : ['loopai.yaml', '.gitignore']) {
      const putBack = replace(path.join(root, name), put)
      const messages = (await doctor(workspace, {})).findings.map(({ message }) => message)
      expect(messages).toContainEqual(expect.stringContaining(`${name} is `))
      putBack()
    }
    replace(path.join(root, APP, 'datasets/executions/2026-01-01.jsonl'), put)
    // Records may be large: they are read line by line.
    if (!what.includes('MB')) await expect(stats(workspace, ID, '2026-01-01')).rejects.toMatchObject(broken)
  },
)

/** Puts something else in the place of a file. The function takes it away again. */
function replace(file: string, put: (file: string, content: string) => void): () => void {
  const content = path.join(temporaryFolder(), 'content')
  mkdirSync(path.dirname(file), { recursive: true })
  const wasThere = lstatSync(file, { throwIfNoEntry: false }) !== undefined
  if (wasThere) renameSync(file, content)
  else writeFileSync(content, '')
  put(file, content)
  return () => {
    rmSync(file, { recursive: true })
    if (wasThere) renameSync(content, file)
  }
}

function writeHole(file: string, bytes: number) {
  writeFileSync(file, '')
  truncateSync(file, bytes)
}
