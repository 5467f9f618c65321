import { statSync } from 'node:fs'
import path from 'node:path'
import { packageFile } from '../package.ts'
import { candidatesOf } from './candidates.ts'
import { missingLdd } from './missing-ldd.ts'
import type { Interpreter, Runtime } from './runtime.ts'

const RUNNER = packageFile('templates', 'harness', 'runner.mjs')
const OLDEST = 20
/** What V8 and its threads map for themselves. */
const SPARE_MB = 512

const ENVIRONMENT = {
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  HOME: '/nonexistent',
  PATH: '/usr/bin',
  // The system's, where there is one, may not be read, and Node.js ends when it is refused.
  OPENSSL_CONF: '/dev/null',
}

const node: Runtime = {
  name: 'node',
  probe: 'probe.mjs',
  harness: ['runner.mjs', 'probe.mjs'],
  missing: { title: 'No Node.js 20 or newer was found', hint: 'name one with LOOPAI_NODE=/path/to/node' },

  candidates(environment) {
    const own = statSync(process.execPath, { throwIfNoEntry: false })?.isFile() ? [process.execPath] : []
    const chosen = environment.LOOPAI_NODE ? [path.resolve(environment.LOOPAI_NODE)] : []
    return [...new Set([...chosen, ...own, ...candidatesOf(['node'], environment)])]
  },

  inspection: [packageFile('templates', 'harness', 'inspect.mjs')],

  understand(printed) {
    const { ldd, ...interpreter } = JSON.parse(printed) as Interpreter & { ldd: boolean }
    const { version } = interpreter
    if (Number(version.split('.')[0]) < OLDEST)
      throw new Error(`it is Node.js ${version}, and ${OLDEST} or newer is needed`)
    return { ...interpreter, ...(!ldd && { obstacle: missingLdd('Node.js') }) }
  },

  launch(interpreter, { directory, inside, entry, limits, isolation }) {
    return {
      command: interpreter.executable,
      args: ['--no-warnings', `--max-old-space-size=${limits.memory_mb}`, RUNNER],
      env: ENVIRONMENT,
      mounts: [
        ...interpreter.mounts,
        { source: RUNNER, target: '/loopai/runner.mjs' },
        { source: directory, target: inside },
      ],
      runner: { program: path.join(directory, entry), limits, isolation: 'shared' },
      // V8 cannot fork, so that nothing is left of a request only when nothing is left of the process.
      singleUse: isolation === 'request',
      resources: {
        coreKb: 0,
        fileKb: 0,
        descriptors: 64,
        dataKb: (limits.memory_mb + SPARE_MB) * 1024,
        ...(isolation === 'request' && {
          cpuSeconds: Math.ceil((limits.load_ms + limits.timeout_ms) / 1000) + 1,
        }),
      },
    }
  },
}

export default node
