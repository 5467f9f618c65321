import { lstat, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { cannotHaveMade } from './owner.ts'
import type { DataDirectory } from './root.ts'

/** Younger ones may belong to a process of another machine or container, whose id says nothing here. */
const OLD_MS = 10 * 60_000
const DEPTH = 5

/** Files and folders with temporary names that a crash left behind, as absolute paths: no living process can have made them. */
export async function findLeftovers(data: DataDirectory, now: Date): Promise<string[]> {
  const found = await search(data.root, DEPTH)
  const abandoned = await Promise.all(
    found.map(async ({ name, place }) => {
      const { mtimeMs } = await lstat(place)
      const isOld = now.getTime() - mtimeMs > OLD_MS
      return isOld && cannotHaveMade(Number(name.split('-')[1]), mtimeMs)
    }),
  )
  return found.map(({ place }) => place).filter((_, i) => abandoned[i])
}

export async function removeLeftovers(places: string[]): Promise<void> {
  for (const place of places) await rm(place, { recursive: true, force: true })
}

async function search(folder: string, depth: number): Promise<{ name: string; place: string }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(
    entries.map(async entry => {
      const place = path.join(folder, entry.name)
      if (/^\.tmp-\d+-[0-9a-f]{8}$/.test(entry.name)) return [{ name: entry.name, place }]
      const isWorthIt = entry.isDirectory() && depth > 0 && entry.name !== '.git'
      return isWorthIt ? search(place, depth - 1) : []
    }),
  )
  return found.flat()
}
