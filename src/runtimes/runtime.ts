import type { Isolation, Launch, Limits, Mount } from '../domain/launch.ts'

export type RuntimeName = 'python' | 'node'

/** Knows how programs of one language are started. It describes processes, and starts none. */
export interface Runtime {
  name: RuntimeName
  /** Of `templates/harness`: the program that tries what a sandbox must refuse, and the files on which its verdict depends. */
  probe: string
  harness: string[]
  /** What to say when there is no interpreter. */
  missing: { title: string; hint: string }
  /** Where an interpreter may be, the best guess first: absolute paths of files that exist. */
  candidates(environment: NodeJS.ProcessEnv): string[]
  /** The arguments with which a candidate says, on standard output, what it is. */
  inspection: string[]
  /** Understands what a candidate said. Throws an Error with the reason why it will not do. */
  understand(printed: string): Interpreter
  /** The process that runs a program. */
  launch(interpreter: Interpreter, program: Program): Launch
}

export interface Interpreter {
  /** The real executable, never a shim or a link. */
  executable: string
  version: string
  /** What compiled packages have to be made for. */
  platform: string
  /** What it needs to run: itself, its standard library, the libraries it loads. */
  mounts: Mount[]
  /** Packages that were installed for it, by the system or its owner. No program sees them unless its version says so. */
  own?: Packages
  /** Why a sandbox may not show it all that it needs, and what to do about that. */
  obstacle?: { message: string; hint: string }
}

/** Packages that a program may import beside the standard library. */
export interface Packages {
  /** Folders that modules are looked for in, in this order. */
  folders: string[]
  mounts: Mount[]
}

export interface Program {
  /** Real path of the folder with the program's files. */
  directory: string
  /** Where the program finds this folder in a sandbox that has places of its own. */
  inside: string
  /** File name of the program in its folder. */
  entry: string
  limits: Limits
  isolation: Isolation
  packages?: Packages | undefined
}
