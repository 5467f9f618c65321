import { endianness } from 'node:os'

/**
 * The two system call filters, as the bytes that the kernel takes.
 *
 * A deny list with a ceiling: unknown and newer calls answer ENOSYS, with which every libc copes, whereas a list of allowed calls
 * kills ordinary programs on the next libc.
 */
export type Architecture = 'x64' | 'arm64'

/** The first filter, for the whole sandbox: no tracing, mounting, namespaces, network, nor the kernel's rarely walked corners. */
export function stage1(architecture: Architecture, options: FirstOptions = {}): Buffer {
  return assemble([...prologue(architecture), ...firstChecks(architecture, options), ...epilogue()])
}

interface FirstOptions {
  /** No file may be emptied by opening it for reading, which Landlock allows before Linux 6.2. */
  readOnly?: boolean
}

/**
 * The second filter, for the process that runs the program: no new process, no signal or limit for any other, no way out of its
 * process group. `PID_SLOT` stands for the process's own id; the harness, which knows it, fills it in.
 */
export function stage2(architecture: Architecture, options: { threads: boolean }): Buffer {
  const number = numbers(architecture)
  const names = [...Object.keys(DENIED_LATER), ...Object.keys(DENIED_TO_CHILDREN)]
  return assemble([
    ...prologue(architecture),
    ...names.flatMap(name => number(name).map(value => when('=', value, 'refuse'))),
    ...laterChecks(architecture, PID_SLOT, options.threads),
    ...epilogue(),
  ])
}

/**
 * Both at once, for a harness that cannot take on a filter. It must still be executed, so that a program can become another one: with the same
 * filter, in the same sandbox, where there is no other.
 */
export function bothStages(architecture: Architecture, pid: number, options: FirstOptions = {}): Buffer {
  const number = numbers(architecture)
  return assemble([
    ...prologue(architecture),
    ...Object.keys(DENIED_LATER).flatMap(name => number(name).map(value => when('=', value, 'refuse'))),
    ...firstChecks(architecture, options),
    ...laterChecks(architecture, pid, true),
    ...epilogue(),
  ])
}

function firstChecks(architecture: Architecture, { readOnly }: FirstOptions): Step[] {
  const number = numbers(architecture)
  return [
    // Above the table: calls newer than this release, and the x32 numbers.
    when('>', HIGHEST, 'unknown'),
    ...Object.keys(DENIED).flatMap(name => number(name).map(value => when('=', value, 'refuse'))),
    // Its flags lie behind a pointer that a filter cannot follow; libc falls back to clone.
    ...number('clone3').map(value => when('=', value, 'unknown')),
    ...call(number('clone'), 0, [when('&', CLONE_NEW, 'refuse')]),
    // TIOCSTI, TIOCLINUX: typing into the terminal. The kernel looks at the low 32 bits, and so does this.
    // FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR, FS_IOC_ENABLE_VERITY: attributes of a file that may only be read.
    ...call(
      number('ioctl'),
      1,
      [0x5412, 0x541c, 0x40086602, 0x401c5820, 0x40806685].map(request => when('=', request, 'refuse')),
    ),
    ...call(number('socketpair'), 0, [unless('=', AF_UNIX, 'refuse')]),
    ...call(number('personality'), 0, [when('=', 0xffffffff, 'allow'), unless('=', 0, 'refuse')]),
    ...(readOnly
      ? [
          ...call(number('open'), 1, [when('&', O_TRUNC, 'refuse')]),
          ...call(number('openat'), 2, [when('&', O_TRUNC, 'refuse')]),
          ...number('openat2').map(value => when('=', value, 'unknown')),
        ]
      : []),
  ]
}

function laterChecks(architecture: Architecture, pid: number, threads: boolean): Step[] {
  const number = numbers(architecture)
  const isOwn = [when('=', pid, 'allow'), give(errno(EPERM))]
  const isOwnOrZero = [when('=', 0, 'allow'), ...isOwn]
  return [
    ...call(number('clone'), 0, [threads ? unless('&', CLONE_THREAD, 'refuse') : give(errno(EPERM))]),
    ...call(number('kill'), 0, isOwn),
    ...call(number('tgkill'), 0, isOwn),
    ...call(number('prlimit64'), 0, isOwnOrZero),
    ...call(number('sched_setaffinity'), 0, isOwnOrZero),
    // With it out of reach, the process dies with its supervisor, wherever it hides.
    ...call(number('prctl'), 0, [when('=', PR_SET_PDEATHSIG, 'refuse')]),
    // F_SETOWN, F_SETSIG, F_SETOWN_EX, FIOSETOWN, SIOCSPGRP: signals to others, sent by the kernel. F_GETLK, F_OFD_GETLK, leases:
    // a look at what others have locked. F_OFD_SETLK, F_OFD_SETLKW, hints: notes that outlive a process. F_SETLK itself is what SQLite does
    // to a file that it reads.
    ...call(
      number('fcntl'),
      1,
      [8, 10, 15, 5, 36, 37, 38, 1024, 1025, 1026, 1035, 1036, 1037, 1038].map(command =>
        when('=', command, 'refuse'),
      ),
    ),
    ...call(
      number('ioctl'),
      1,
      [0x8901, 0x8902].map(request => when('=', request, 'refuse')),
    ),
  ]
}

export function findArchitecture(): Architecture | undefined {
  const { arch } = process
  return endianness() === 'LE' && (arch === 'x64' || arch === 'arm64') ? arch : undefined
}

/** Numbers on x64 and arm64. */
type Numbers = Record<string, readonly [x64: number, arm64: number | null]>

const DENIED: Numbers = {
  // Other processes: their memory, their descriptors.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  // Mounts, roots, namespaces.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  statmount: [457, 457],
  listmount: [458, 458],
  open_tree_attr: [467, 467],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  // Modes, owners, times, attributes: no file is the program's to change, and Landlock does not look at these.
  chmod: [90, null],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  chown: [92, null],
  fchown: [93, 55],
  lchown: [94, null],
  fchownat: [260, 54],
  utime: [132, null],
  utimes: [235, null],
  futimesat: [261, null],
  utimensat: [280, 88],
  setxattr: [188, 5],
  lsetxattr: [189, 6],
  fsetxattr: [190, 7],
  setxattrat: [463, 463],
  removexattr: [197, 14],
  lremovexattr: [198, 15],
  fremovexattr: [199, 16],
  removexattrat: [466, 466],
  truncate: [76, 45],
  // Large or rarely used parts of the kernel.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_setup: [206, 0],
  io_destroy: [207, 1],
  io_submit: [209, 2],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  inotify_init: [253, null],
  inotify_init1: [294, 26],
  // Memory that the address space limit does not count, and queues and semaphores of others, whose numbers can be guessed. Not mbind: numpy
  // wants it.
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  shmget: [29, 194],
  shmat: [30, 196],
  shmctl: [31, 195],
  semget: [64, 190],
  semop: [65, 193],
  semtimedop: [220, 192],
  semctl: [66, 191],
  msgget: [68, 186],
  msgsnd: [69, 189],
  msgrcv: [70, 188],
  msgctl: [71, 187],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  mlock: [149, 228],
  mlock2: [325, 284],
  mlockall: [151, 230],
  move_pages: [279, 239],
  migrate_pages: [256, 238],
  // Administration, and what is left of old times.
  reboot: [169, 142],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  syslog: [103, 116],
  vhangup: [153, 58],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  uselib: [134, null],
  ustat: [136, null],
  sysfs: [139, null],
  _sysctl: [156, null],
  lookup_dcookie: [212, 18],
  nfsservctl: [180, 42],
  create_module: [174, null],
  get_kernel_syms: [177, null],
  query_module: [178, null],
  // Network. socketpair is looked at more closely: asyncio needs AF_UNIX.
  socket: [41, 198],
  bind: [49, 200],
  listen: [50, 201],
  connect: [42, 203],
  accept: [43, 202],
  accept4: [288, 242],
}

const DENIED_LATER: Numbers = {
  fork: [57, null],
  vfork: [58, null],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  tkill: [200, 130],
  setsid: [112, 157],
  setpgid: [109, 154],
  setpriority: [141, 140],
  ioprio_set: [251, 30],
  sched_setparam: [142, 118],
  sched_setscheduler: [144, 119],
  sched_setattr: [314, 274],
  flock: [73, 32],
}

const EXAMINED: Numbers = {
  open: [2, null],
  openat: [257, 56],
  openat2: [437, 437],
  clone: [56, 220],
  clone3: [435, 435],
  ioctl: [16, 29],
  socketpair: [53, 199],
  personality: [135, 92],
  prctl: [157, 167],
  fcntl: [72, 25],
  kill: [62, 129],
  tgkill: [234, 131],
  prlimit64: [302, 261],
  sched_setaffinity: [203, 122],
}

/** Where the harness is started before the filter, and where a process has a successor: what is done to their channel would outlive it. */
const DENIED_TO_CHILDREN: Numbers = {
  execve: [59, 221],
  execveat: [322, 281],
  setsockopt: [54, 208],
  shutdown: [48, 210],
}

export const SYSTEM_CALLS: Numbers = { ...DENIED, ...DENIED_LATER, ...DENIED_TO_CHILDREN, ...EXAMINED }
export const PID_SLOT = 0xdeadbeef

const HIGHEST = Math.max(...Object.values(SYSTEM_CALLS).map(([x64]) => x64))
const ARCHITECTURE = { x64: 0xc000003e, arm64: 0xc00000b7 }
const [EPERM, ENOSYS] = [1, 38]
const [ALLOW, KILL] = [0x7fff0000, 0x80000000]
const CLONE_NEW = 0x7e020080 // every CLONE_NEW flag
const CLONE_THREAD = 0x10000
const AF_UNIX = 1
const PR_SET_PDEATHSIG = 1
const O_TRUNC = 0o1000

/** None, where the call does not exist. */
function numbers(architecture: Architecture): (name: string) => number[] {
  const column = architecture === 'x64' ? 0 : 1
  return name => [SYSTEM_CALLS[name]![column]].filter(value => value !== null)
}

// A little assembler. A step is an instruction, or a label.

type Label = string | symbol
type Step = Label | Instruction
interface Instruction {
  code: number
  value: number
  whenTrue?: Label
  whenFalse?: Label
}

const COMPARE = { '=': 0x15, '>': 0x25, '&': 0x45 }

const load = (offset: number): Step => ({ code: 0x20, value: offset })
const give = (value: number): Step => ({ code: 0x06, value })
const errno = (number: number): number => 0x00050000 | number
const when = (compare: keyof typeof COMPARE, value: number, label: Label): Step => ({
  code: COMPARE[compare],
  value,
  whenTrue: label,
})
const unless = (compare: keyof typeof COMPARE, value: number, label: Label): Step => ({
  code: COMPARE[compare],
  value,
  whenFalse: label,
})

/** Another architecture's calls have other numbers: `int 0x80` on x64 would pass every check below. */
function prologue(architecture: Architecture): Step[] {
  return [load(4), unless('=', ARCHITECTURE[architecture], 'kill'), load(0)]
}

function epilogue(): Step[] {
  return [
    'allow',
    give(ALLOW),
    'refuse',
    give(errno(EPERM)),
    'unknown',
    give(errno(ENOSYS)),
    'kill',
    give(KILL),
  ]
}

/** For one system call, looks at the low half of an argument; what no step decides is for the next check to decide. */
function call([number]: number[], argument: number, steps: Step[]): Step[] {
  if (number === undefined) return []
  const after = Symbol(`after ${number}`)
  return [unless('=', number, after), load(16 + 8 * argument), ...steps, load(0), after]
}

function assemble(steps: Step[]): Buffer {
  const labels = new Map<Label, number>()
  const instructions: Instruction[] = []
  for (const step of steps) {
    if (typeof step === 'object') instructions.push(step)
    else labels.set(step, instructions.length)
  }
  const bytes = Buffer.alloc(instructions.length * 8)
  instructions.forEach((instruction, index) => {
    const distance = (label: Label | undefined) => {
      if (label === undefined) return 0
      const jump = (labels.get(label) ?? Number.NaN) - index - 1
      if (!(jump >= 0 && jump <= 255)) throw new Error(`no way to ${String(label)} from instruction ${index}`)
      return jump
    }
    bytes.writeUInt16LE(instruction.code, index * 8)
    bytes.writeUInt8(distance(instruction.whenTrue), index * 8 + 2)
    bytes.writeUInt8(distance(instruction.whenFalse), index * 8 + 3)
    bytes.writeUInt32LE(instruction.value >>> 0, index * 8 + 4)
  })
  return bytes
}
