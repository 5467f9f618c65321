import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { topicRows } from '../generators/briefs.ts'
import { BIN, environment, writeFiles } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/repository.ts'

/** Other Nodes than this one, and this one on a single core. */
const OTHERS: string[][] = [
  ...(process.env.LOOPAI_TEST_NODES?.split(':') ?? []).map(node => [node]),
  ['taskset', '-c', '0', process.execPath],
]

/** Letters that old engines do not know, capitals of many scripts, logarithms, exponents and sines. */
const APPS: Record<string, { input: unknown; output: unknown }[]> = {
  text: topicRows(60).map(({ input, output }, i) => ({
    input: { text: `${(input as { text: string }).text} İß ΣΑΣ \u{16ea0}${i % 7}\ua7ce \u1acf ${i}` },
    output: i % 9 === 0 ? 'tool' : output,
  })),
  table: Array.from({ length: 300 }, (_, i) => {
    const [x, y] = [((i * 61) % 400) / 100, ((i * 37) % 300) / 100]
    return { input: { x, y, city: 'ÅZÄb'[i % 4] }, output: Math.sin(3 * x) + y * y > 2 ? 'high' : 'low' }
  }),
  object: Array.from({ length: 120 }, (_, i) => ({
    input: { text: `${['red', 'blue'][i % 2]} ${['big', 'small', 'tiny'][i % 3]} ${i % 11}` },
    output: { colour: ['r', 'b'][i % 2], tags: i % 3 ? ['s'] : [], size: 1.5 * (i % 3) },
  })),
}

async function digestsBy([command, ...args]: string[]): Promise<Record<string, string>> {
  const folder = temporaryFolder()
  const run = (...more: string[]) =>
    promisify(execFile)(command!, [...args, BIN, ...more], { cwd: folder, env: environment({}) })
  const digests: Record<string, string> = {}
  for (const [id, rows] of Object.entries(APPS)) {
    writeFiles(folder, { 'rows.jsonl': rows.map(row => `${JSON.stringify(row)}\n`).join('') })
    await run('create', id, '--examples', 'rows.jsonl')
    digests[id] = JSON.parse((await run('generate', id, '--json')).stdout).digest
  }
  return digests
}

function canRun([command, ...args]: string[]): boolean {
  const { status } = spawnSync(command!, [...args, '-e', '0'], { stdio: 'ignore' })
  return status === 0
}

describe('the same rows give the same bytes as here', () => {
  let here: Promise<Record<string, string>> | undefined

  test.for(OTHERS.map(other => ({ other, name: other.join(' ') })))(
    'with $name',
    { timeout: 120_000 },
    async ({ other }, { skip }) => {
      skip(!canRun(other), `${other[0]} cannot be run here`)
      here ??= digestsBy([process.execPath])
      expect(await digestsBy(other)).toEqual(await here)
    },
  )

  test('with another Node', ({ skip }) =>
    skip(!process.env.LOOPAI_TEST_NODES, 'LOOPAI_TEST_NODES names none'))
})
