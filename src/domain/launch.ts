/** What is started, before and after a sandbox has confined it. Runtimes write it, sandboxes make it stricter, workers start it. */
export interface Launch {
  /** Absolute path of the executable. */
  command: string
  args: string[]
  /** The whole environment: nothing is inherited. */
  env: Record<string, string>
  /** Everything that the process needs to read, and where it expects it. */
  mounts: Mount[]
  /** First line that the worker writes to descriptor 3. */
  runner: RunnerConfig
  /** Bytes that the process finds on descriptor 4: a seccomp filter. */
  filter?: Buffer
  /** The process answers one request and is then replaced. */
  singleUse?: boolean
  /** The harness takes on the second filter by itself, and forks. For one that cannot, the sandbox does all at the start. */
  takesFilter?: boolean
  /** When the process that runs the program ends, its supervisor says so on descriptor 5, and can start another one. */
  renews?: boolean
  /** Limits that the process cannot set for itself. */
  resources?: Resources
}

export interface Resources {
  coreKb: number
  fileKb: number
  dataKb: number
  descriptors: number
  cpuSeconds?: number
}

/** Why a process may load its program now. */
export interface Admission {
  /** Which folder was looked at, as device and inode: what a process sees in its place must be the same. */
  folder: string
  /** Throws when anything was done to the program since. To be called when it is loaded. */
  confirm(): void
}

/** Asked before each process loads its program. When it rejects, the program is not loaded. */
export type Gate = () => Promise<Admission | undefined>

/** A file or folder on this machine and its place inside the sandbox, both absolute. */
export interface Mount {
  source: string
  target: string
}

/** What the harness (`templates/harness/runner.py`) is told about the program it runs. Paths are as the harness sees them. */
export interface RunnerConfig {
  program: string
  /** Device and inode of the folder that was verified; without them, any will do. */
  folder?: string
  limits: Limits
  isolation: Isolation
  /** Folders with packages that the program may import. */
  packages?: string[]
  /** Base64 of the seccomp filter that the harness takes on right before the program's own code. */
  stage2?: string
  /** A sandbox is around it: what the system refuses, it refuses for that reason. */
  isConfined?: boolean
  /** Nothing can be forked here: the process that reads this runs the program. */
  alone?: boolean
  /** How many threads the program may have; absent where the kernel cannot count them for the program alone. */
  threads?: number
  /** Landlock tier: the base64 of the first filter, and what stays readable. */
  stage1?: string
  readable?: string[]
}

/** What lives on between two requests: the process of this version of this app, or nothing. */
export type Isolation = 'shared' | 'request'

/** Limits of one execution, as `config.yaml` and the manifest hold them. */
export interface Limits {
  timeout_ms: number
  load_ms: number
  memory_mb: number
  output_kb: number
  input_kb: number
}

export const DEFAULT_LIMITS: Limits = {
  timeout_ms: 1000,
  load_ms: 10_000,
  memory_mb: 512,
  output_kb: 1024,
  input_kb: 1024,
}
