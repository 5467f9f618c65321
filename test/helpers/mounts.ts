import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from './repository.ts'

/** Whether this process may mount a file system of its own: where permission bits do not bind, that is how a folder becomes read-only. */
export const canMount = process.getuid?.() === 0 && mountsTmpfs()

/** A small file system that goes away with the test. */
export function mountedFolder(size: string): string {
  const folder = temporaryFolder()
  run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder])
  onTestFinished(() => {
    spawnSync('umount', ['-l', folder])
  })
  return folder
}

export function makeReadOnly(folder: string): void {
  run('mount', ['-o', 'remount,ro', folder])
}

export function makeWritable(folder: string): void {
  run('mount', ['-o', 'remount,rw', folder])
}

function run(command: string, args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

function mountsTmpfs(): boolean {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-mount-'))
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]).status === 0
  if (isMounted) spawnSync('umount', ['-l', folder])
  rmdirSync(folder)
  return isMounted
}
