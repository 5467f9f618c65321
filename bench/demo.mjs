// The main job from end to end, in a fresh folder: each command as one types it, and what it really says.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../bin/loopai.js', import.meta.url))
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-demo-'))
cpSync(new URL('demo/more.jsonl', import.meta.url), path.join(folder, 'more.jsonl'))
const message = {
  text: 'Congratulations! Reply now to claim your free prize.',
  sender: 'win@lucky.example.com',
}

say('A data directory is a git repository; a Loop App is a folder in it.')
loopai('init')
loopai('create', 'spam-detector-001')
say('A program is learned from the labelled examples, checked, and committed as v1.')
loopai('generate', 'spam-detector-001')
loopai('test', 'spam-detector-001')
loopai('promote', 'spam-detector-001')
say('From now on it answers.')
pipe(message, 'exec', 'spam-detector-001')
pipe(message, 'exec', 'spam-detector-001', '--json')
say('More labelled rows make a second version; the gate compares it with the active one.')
loopai('generate', 'spam-detector-001', '--examples', 'more.jsonl')
loopai('promote', 'spam-detector-001', 'v2', '-m', 'knows more kinds of phishing')
say('Something looks wrong? Going back is one command, and so is the story of what happened.')
loopai('rollback', 'spam-detector-001', '-m', 'customers miss their parcel notices')
loopai('log', 'spam-detector-001')
run('git', ['-C', 'loopai-data', 'log', '--oneline'], 'git -C loopai-data log --oneline')
run('git', ['-C', 'loopai-data', 'status', '--short'], 'git -C loopai-data status --short')
say(`All of it is in ${folder}`)

function say(sentence) {
  process.stdout.write(`\n# ${sentence}\n`)
}

function loopai(...args) {
  run(process.execPath, [bin, ...args], `loopai ${args.map(quote).join(' ')}`)
}

function pipe(input, ...args) {
  const json = JSON.stringify(input)
  run(process.execPath, [bin, ...args], `echo '${json}' | loopai ${args.join(' ')}`, json)
}

function quote(argument) {
  return /\s/.test(argument) ? `"${argument}"` : argument
}

function run(command, args, typed, input = '') {
  process.stdout.write(`$ ${typed}\n`)
  // Who tries this out need not have told git a name yet.
  const person = hasIdentity() ? {} : identity('Demo', 'demo@example.com')
  const stdio = ['pipe', 'inherit', 'inherit']
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    env: { ...process.env, ...person },
    input,
    stdio,
  })
  if (status === 0) return
  process.stderr.write(`\nthe demo stopped: ${typed} ended with ${error?.message ?? status}\n`)
  process.exit(1)
}

function hasIdentity() {
  return spawnSync('git', ['var', 'GIT_AUTHOR_IDENT'], { cwd: folder, stdio: 'ignore' }).status === 0
}

function identity(name, email) {
  const roles = ['AUTHOR', 'COMMITTER']
  return Object.fromEntries(
    roles.flatMap(role => [
      [`GIT_${role}_NAME`, name],
      [`GIT_${role}_EMAIL`, email],
    ]),
  )
}
