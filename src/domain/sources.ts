/** What is known of the source files of a program without running them. */
export interface Sources {
  /** Why a file does not parse, with its line. */
  problems: string[]
  imports: { file: string; line: number; module: string }[]
}

/** Modules of the standard library that compute, and neither reach out nor depend on the moment. */
const ALLOWED = new Set(
  `__future__ abc array ast base64 binascii bisect bz2 calendar cmath codecs collections colorsys contextlib copy csv dataclasses datetime
  decimal difflib email encodings enum fractions functools gzip hashlib heapq hmac html io ipaddress itertools json keyword lzma math
  mimetypes numbers operator os pathlib pprint quopri random re reprlib shlex statistics string stringprep struct sys textwrap threading
  token tokenize traceback types typing unicodedata urllib.parse warnings weakref xml zipfile zlib zoneinfo`
    .split(/\s+/)
    .filter(Boolean),
)

/** Imports that a generated program may not have: anything but those modules, its packages, and files of its own. */
export function forbiddenImports(
  { imports }: Sources,
  files: string[],
  packages: string[] = [],
): Sources['imports'] {
  const installed = new Set(packages)
  const own = new Set(
    files.filter(name => name.endsWith('.py')).map(name => name.replace(/(\/__init__)?\.py$/, '')),
  )
  return imports.filter(({ module }) => {
    if (module.startsWith('.')) return false
    const segments = module.split('.')
    if (installed.has(segments[0]!)) return false
    const names = segments.map((_, i) => segments.slice(0, i + 1).join('.'))
    return !names.some(name => ALLOWED.has(name) || own.has(name.replaceAll('.', '/')))
  })
}
