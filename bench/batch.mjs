// `exec --jsonl` with sandbox, validation and recording, against a bare Python loop over the same program without any of them.
// `node bench/batch.mjs [rounds] [lines]`
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { command, interleave, ratio, table } from './measure.mjs'

const rounds = Number(process.argv[2] ?? 5)
const lines = Number(process.argv[3] ?? 200_000)
const bin = fileURLToPath(new URL('../bin/loopai.js', import.meta.url))
const examples = fileURLToPath(new URL('../templates/apps/spam-detector/examples.jsonl', import.meta.url))
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-bench-'))
const person = { GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.com' }
const env = { ...person, GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.com', NO_COLOR: '1' }
const LITTLE = "def execute(input_data):\n    return 'spam' if 'free' in input_data['text'] else 'ham'\n"
const BARE = `
import json, sys
sys.path.insert(0, sys.argv[1])
import program
with open(sys.argv[2]) as messages, open(sys.argv[3], 'w') as answers:
    for line in messages:
        answer = program.execute(json.loads(line))
        answers.write(json.dumps(answer['result'] if isinstance(answer, dict) else answer) + '\\n')
`

try {
  const messages = writeMessages(lines)
  const few = writeMessages(lines / 20)
  const data = path.join(folder, 'loopai-data')
  loopai(['create', 'spam-detector-001', '-q'])
  loopai(['generate', 'spam-detector-001', '-q'])
  mkdirSync(path.join(data, 'loop-apps', 'spam-detector-001', 'draft'))
  writeFileSync(path.join(data, 'loop-apps', 'spam-detector-001', 'draft', 'program.py'), LITTLE)
  loopai(['add', 'spam-detector-001', '-q'])
  const rows = [
    await batch('the learned spam program', 'v1'),
    await batch('a program that does next to nothing', 'v2'),
  ]
  process.stdout.write(
    `${table([`${lines.toLocaleString('en')} messages`, 'loopai exec --jsonl', 'bare Python loop', 'times its rate', 'two bare loops at once'], rows)}\n\n`,
  )
  process.stdout.write(
    `Peak memory of loopai: ${peak(few)} MB for ${(lines / 20).toLocaleString('en')} lines, ${peak(messages)} MB for ${lines.toLocaleString('en')}.\n`,
  )

  async function batch(name, version) {
    const program = path.join(data, 'loop-apps', 'spam-detector-001', 'artifacts', version)
    const bareArgs = ['-c', BARE, program, messages]
    const [ours, bare, two] = await interleave(
      [
        { run: () => loopai(['exec', `spam-detector-001@${version}`, '--jsonl', '--file', messages, '-q']) },
        { run: () => command(folder, 'python3', [...bareArgs, path.join(folder, 'answers')]) },
        { run: () => twoAtOnce(bareArgs) },
      ],
      rounds,
    )
    const rate = time => `${Math.round((lines / time) * 1000).toLocaleString('en')} a second`
    return [name, rate(ours), rate(bare), ratio(bare, ours), ratio(2 * bare, two)]
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** What two processes can do on this machine at best. */
function twoAtOnce(args) {
  const loops = [1, 2].map(
    number =>
      new Promise((resolve, reject) =>
        spawn('python3', [...args, path.join(folder, `answers${number}`)])
          .on('error', reject)
          .on('close', resolve),
      ),
  )
  return Promise.all(loops)
}

/** Texts of the template, made different by a number, so that no two lines are the same. */
function writeMessages(count) {
  const texts = readFileSync(examples, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).input.text)
  const file = path.join(folder, `${count}.jsonl`)
  const rows = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ text: `${texts[i % texts.length]} ${i}` }),
  )
  writeFileSync(file, `${rows.join('\n')}\n`)
  return file
}

/** In MB, of the largest process. */
function peak(file) {
  const script = `
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)`
  const args = [process.execPath, bin, 'exec', 'spam-detector-001@v1', '--jsonl', '--file', file, '-q']
  return command(folder, 'python3', ['-c', script, ...args], { env }).trim()
}

function loopai(args) {
  return command(folder, process.execPath, [bin, ...args], { env })
}
