import path from 'node:path'
import type { Mount } from '../domain/launch.ts'
import { packageFile } from '../package.ts'
import { candidatesOf } from './candidates.ts'
import { missingLdd } from './missing-ldd.ts'
import type { Runtime } from './runtime.ts'

const RUNNER = packageFile('templates', 'harness', 'runner.py')

const ENVIRONMENT = {
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  // With -I this would be ignored, and the order of a set would differ from run to run.
  PYTHONHASHSEED: '0',
  OPENBLAS_NUM_THREADS: '1',
  HOME: '/nonexistent',
  PATH: '/usr/bin',
}

/** A program has one process and, in most places, one thread: libraries in packages would start one for each processor. */
const WITH_PACKAGES = { ...ENVIRONMENT, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }

const python: Runtime = {
  name: 'python',
  probe: 'probe.py',
  harness: ['runner.py', 'probe.py'],
  missing: {
    title: 'No Python 3.9 or newer was found',
    hint: 'install Python, or name one with LOOPAI_PYTHON=/path/to/python3',
  },

  candidates(environment) {
    const chosen = environment.LOOPAI_PYTHON ? [path.resolve(environment.LOOPAI_PYTHON)] : []
    return [...new Set([...chosen, ...candidatesOf(['python3', 'python'], environment)])]
  },

  inspection: ['-I', '-S', packageFile('templates', 'harness', 'inspect.py')],

  understand(printed) {
    const { executable, version, ctypes, ldd, platform, sites, alternatives, mounts } = JSON.parse(
      printed,
    ) as Answer
    const [major, minor] = version
    if (major !== 3 || minor < 9)
      throw new Error(`it is Python ${version.join('.')}, and 3.9 or newer is needed`)
    if (!ctypes) throw new Error('its ctypes module does not work')
    return {
      executable,
      version: version.join('.'),
      platform,
      mounts,
      own: {
        folders: sites,
        mounts: [...sites.map(site => ({ source: site, target: site })), ...alternatives],
      },
      ...(!ldd && { obstacle: missingLdd('Python') }),
    }
  },

  launch(interpreter, { directory, inside, entry, limits, isolation, packages }) {
    return {
      command: interpreter.executable,
      // No site: it would take 5 ms, and the user's packages are not the program's.
      args: ['-s', '-S', '-B', '-X', 'utf8', RUNNER],
      env: packages ? WITH_PACKAGES : ENVIRONMENT,
      mounts: [
        ...interpreter.mounts,
        { source: RUNNER, target: '/loopai/runner.py' },
        { source: directory, target: inside },
        ...(packages?.mounts ?? []),
      ],
      runner: {
        program: path.join(directory, entry),
        limits,
        isolation,
        ...(packages && { packages: packages.folders }),
      },
      takesFilter: true,
      renews: isolation === 'shared',
    }
  },
}

/** What `inspect.py` prints. */
interface Answer {
  executable: string
  version: [number, number, number]
  ctypes: boolean
  ldd: boolean
  platform: string
  sites: string[]
  alternatives: Mount[]
  mounts: Mount[]
}

export default python
