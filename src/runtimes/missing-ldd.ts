import type { Interpreter } from './runtime.ts'

/** Without `ldd` an interpreter cannot say which libraries a sandbox has to show it. */
export function missingLdd(language: string): NonNullable<Interpreter['obstacle']> {
  return {
    message: `ldd is missing, so nobody knows which libraries ${language} loads`,
    hint: 'install it: `apt-get install libc-bin`, `dnf install glibc-common`, `apk add musl-utils`',
  }
}
