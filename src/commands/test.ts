import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type Tested, test } from '../actions/test.ts'
import { testChanged } from '../actions/test-changed.ts'
import { LoopaiError } from '../domain/errors.ts'
import { explainWriteError } from '../store/atomic.ts'
import { junit } from '../terminal/junit.ts'
import { describeChecks, describeReport } from '../terminal/report.ts'
import { summary } from '../terminal/summary.ts'
import type { CommandFile, Session } from './command.ts'
import { share } from './options.ts'

interface Options {
  cases?: string
  min?: number
  changed?: string
  junit?: string
  summary?: string
  unsandboxed?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('[app[@version]]', 'default: its latest version')
      .option('--changed <ref>', 'every version that is new or judged anew since this commit, instead of one')
      .option('--cases <file>', 'golden cases to use instead of tests/cases.jsonl')
      .option(
        '--min <share>',
        'share of golden cases that must be right, e.g. 0.95 or 95%; default: all',
        share,
      )
      .option('--junit <file>', 'write the results as JUnit XML')
      .option('--summary <file>', 'append the results as Markdown, e.g. to $GITHUB_STEP_SUMMARY')
      .option('--unsandboxed', 'run without a sandbox')
  },

  async run({ workspace, terminal }, [address], options: Options) {
    const { changed, junit: junitFile, summary: summaryFile, ...gate } = options
    if ((address === undefined) === (changed === undefined)) {
      throw new LoopaiError('USAGE', 'test needs an app, or --changed with a commit', {
        hint: 'loopai test spam-detector-001   or: loopai test --changed origin/main',
      })
    }
    const tested =
      changed === undefined
        ? [await test(workspace, address!, gate)]
        : await testChanged(workspace, changed, gate)
    await writeReports(tested, { junitFile, summaryFile })
    if (terminal.flags.json) terminal.printJson(changed === undefined ? tested[0] : { changed, tested })
    else await print({ workspace, terminal }, tested)
    return tested.every(({ outcome }) => outcome === 'pass') ? 0 : 3
  },
}

export default command

async function writeReports(
  tested: Tested[],
  { junitFile, summaryFile }: { junitFile?: string | undefined; summaryFile?: string | undefined },
): Promise<void> {
  const put = async (file: string | undefined, write: (file: string) => Promise<void>) => {
    if (file === undefined) return
    try {
      await mkdir(path.dirname(file), { recursive: true })
      await write(file)
    } catch (error) {
      throw explainWriteError(error, file)
    }
  }
  await put(junitFile, file => writeFile(file, junit(tested)))
  await put(summaryFile, file => appendFile(file, summary(tested)))
}

async function print({ terminal }: Session, tested: Tested[]): Promise<void> {
  const style = await terminal.style()
  if (tested.length === 0) terminal.note('nothing that decides behaviour has changed')
  for (const { loop_app_id: id, version, outcome, score, checks } of tested) {
    if (terminal.flags.quiet) {
      terminal.print(tested.length === 1 ? outcome : `${id}@v${version} ${outcome}`)
      continue
    }
    const lines = [...describeReport(score), ...describeChecks(checks, style)]
    terminal.print([style.bold(`${id} v${version}`), ...lines, outcome].join('\n'))
  }
}
