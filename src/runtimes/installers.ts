import { packageFile } from '../package.ts'

/** How packages are resolved and installed: what the two tools are told, and what their refusals mean. Nothing is started here. */
export interface Installer {
  name: 'pip' | 'uv'
  command: string
  /** Before the tool's own arguments. */
  prefix: string[]
}

/** Wheels only: to build a package is to run its code with the user's rights. */
const WHEELS = ['--only-binary', ':all:']

const PLAIN = ['--progress-bar', 'off']

/** Variables of pip that say where packages are and how they are reached. The others could have it install elsewhere, or build. */
const PIP_VARIABLES = new Set(
  `INDEX_URL EXTRA_INDEX_URL NO_INDEX FIND_LINKS TRUSTED_HOST CERT CLIENT_CERT PROXY TIMEOUT DEFAULT_TIMEOUT RETRIES CACHE_DIR NO_CACHE_DIR
  CONFIG_FILE CONSTRAINT KEYRING_PROVIDER`
    .split(/\s+/)
    .map(name => `PIP_${name}`),
)

export function pipOf(python: string): Installer {
  // Isolated: nothing of the user's and nothing in the current folder takes part.
  return {
    name: 'pip',
    command: python,
    prefix: [
      '-I',
      packageFile('templates', 'harness', 'pip.py'),
      '--disable-pip-version-check',
      '--no-input',
    ],
  }
}

export function uvOf(command: string): Installer {
  return { name: 'uv', command, prefix: ['--no-python-downloads', '--no-progress'] }
}

/** The user's environment without what would change what is done rather than where things are fetched. */
export function installerEnvironment(environment: NodeJS.ProcessEnv, temporary: string): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) =>
      !/^(PYTHON|VIRTUAL_ENV|CONDA_)/.test(name) && (!name.startsWith('PIP_') || PIP_VARIABLES.has(name)),
  )
  return {
    ...Object.fromEntries(kept),
    // Settings in pip.conf would refuse what is done here.
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
    PIP_ROOT_USER_ACTION: 'ignore',
    TMPDIR: temporary,
    LC_ALL: 'C.UTF-8',
  }
}

export interface Resolution {
  python: string
  /** File with the requirements. */
  requirements: string
  /** Folder that wheels are put into, by pip. */
  wheels: string
}

/** pip fetches the wheels, uv prints a lock with the hashes of all files that the index has. */
export function resolveArguments(
  { name, prefix }: Installer,
  { python, requirements, wheels }: Resolution,
): string[] {
  return name === 'pip'
    ? [...prefix, 'download', ...PLAIN, ...WHEELS, '--dest', wheels, '--requirement', requirements]
    : [
        ...[...prefix, 'pip', 'compile', '--quiet', ...WHEELS, '--python', python, '--generate-hashes'],
        ...['--no-header', '--no-annotate', '--no-emit-index-url', '--no-emit-find-links', requirements],
      ]
}

export interface Installation {
  python: string
  lock: string
  target: string
  /** Folder with wheels that were fetched already; nothing else is looked at. */
  wheels?: string | undefined
}

/** Exactly what the lock names, by hash. Compiled too: where programs run nothing can be written, and each start would compile anew. */
export function installArguments(
  { name, prefix }: Installer,
  { python, lock, target, wheels }: Installation,
): string[] {
  const what = ['--no-deps', '--require-hashes', ...WHEELS, '--target', target, '--requirement', lock]
  const where = wheels === undefined ? [] : ['--no-index', '--find-links', wheels]
  return name === 'pip'
    ? [...prefix, 'install', '--no-warn-script-location', ...PLAIN, ...what, ...where]
    : [
        ...prefix,
        'pip',
        'install',
        '--python',
        python,
        '--compile-bytecode',
        '--link-mode',
        'copy',
        ...what,
        ...where,
      ]
}

/** What a tool said last of why it failed, without what is for those who mend the tool. */
export function complaintOf(said: string): string[] {
  const [text] = said.split('\nException information:')
  const lines = text!
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('WARNING'))
  const first = lines.findIndex(line => /^(ERROR|error):|^[×x] /.test(line))
  return (first < 0 ? lines.slice(-4) : lines.slice(first)).slice(0, 8)
}

export type Refusal = 'no-pip' | 'network' | 'no-wheel' | 'conflict' | 'hash' | 'disk' | 'other'

const REFUSALS: [Refusal, RegExp][] = [
  ['no-pip', /No module named pip\b/],
  ['disk', /No space left on device|Disk quota exceeded|os error 28/],
  ['hash', /DO NOT MATCH THE HASHES|[Hh]ash mismatch|no hash matched/i],
  [
    'network',
    /Failed to establish a new connection|is not a trusted or secure host|Temporary failure in name resolution|Name or service not known|Network is unreachable|Connection (refused|reset|timed out)|ConnectTimeout|Read timed out|ProxyError|[Cc]ould not connect|dns error|error sending request|Failed to fetch|SSLError|CERTIFICATE_VERIFY_FAILED/,
  ],
  [
    'no-wheel',
    /No matching distribution found|Could not find a version|(has|have) no usable wheels|not a wheel: |no wheels? with a matching|not found in the (package registry|provided package locations)|there (is|are) no versions? of|no source distribution/,
  ],
  [
    'conflict',
    /ResolutionImpossible|conflicting dependencies|requirements are unsatisfiable|depends on .* and .* we can conclude/s,
  ],
]

/** What a tool meant that did not do what it was told. */
export function refusalOf(said: string): Refusal {
  return REFUSALS.find(([, pattern]) => pattern.test(said))?.[0] ?? 'other'
}
