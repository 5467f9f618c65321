import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { cacheFact, findFact, problemOfCache } from '../../src/store/cache.ts'
import { findEnvironment, withWorkFolder } from '../../src/store/environments.ts'
import { runGit, temporaryFolder } from '../helpers/repository.ts'

const isRoot = process.getuid?.() === 0

function keeps(folder: string): boolean {
  process.env.LOOPAI_CACHE_DIR = folder
  cacheFact('schemas/a', 'key', 'value')
  return findFact('schemas/a', 'key') === 'value'
}

test('a fact is found for its key, in a folder that is made when it is needed', () => {
  expect(keeps(path.join(temporaryFolder(), 'not', 'there'))).toBe(true)
  expect(findFact('schemas/a', 'another key')).toBeUndefined()
  expect(problemOfCache()).toBeUndefined()
})

test('nothing is taken from a folder that others may write to, packages neither', async () => {
  const folder = path.join(temporaryFolder(), 'cache')
  expect(keeps(folder)).toBe(true)
  chmodSync(folder, 0o777)
  // Looked at once for each folder.
  expect(keeps(temporaryFolder())).toBe(true)
  expect(keeps(folder)).toBe(false)
  expect(problemOfCache()).toMatchObject({ fix: `chmod go-w '${folder}'` })
  expect(findEnvironment('a')).toBeUndefined()
  await expect(withWorkFolder(async () => {})).rejects.toMatchObject({
    code: 'NOT_WRITABLE',
    message: `others may write to the cache ${folder}, and it is not used`,
  })
})

test.skipIf(!isRoot)('nothing is taken from the folder of another user', () => {
  const folder = temporaryFolder()
  chownSync(folder, 65534, 65534)
  expect(keeps(folder)).toBe(false)
  expect(problemOfCache()?.message).toContain('belongs to another user')
})

test('no fact is taken from a folder in a repository, but packages may be kept there', async () => {
  const repository = temporaryFolder()
  runGit(repository, 'init', '-q')
  const folder = path.join(repository, 'ci', 'cache')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  expect(keeps(folder)).toBe(false)
  expect(problemOfCache()?.message).toContain('lies in a repository')
  expect(await withWorkFolder(async work => path.dirname(work))).toBe(path.join(folder, 'environments'))
})
