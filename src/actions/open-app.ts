import type { Address } from '../domain/address.ts'
import { parseAddress } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import { type LoopApp, readApp } from '../store/apps.ts'
import { refuseDuringMerge } from '../store/git-state.ts'
import { type DataDirectory, findRoot, openDataDirectory } from '../store/root.ts'
import type { Workspace } from './workspace.ts'

export interface OpenApp {
  data: DataDirectory
  app: LoopApp
  address: Address
}

/** The app that an address means, in the data directory that the workspace means. */
export async function openAddress(workspace: Workspace, text: string): Promise<OpenApp> {
  const address = parseAddress(text)
  const data = await openDataDirectory(workspace)
  return { data, app: await readApp(data, address.loopAppId), address }
}

/** The same for what concerns an app as a whole: a version in the address is refused rather than ignored. */
export async function openApp(workspace: Workspace, text: string): Promise<OpenApp> {
  const { loopAppId, version } = parseAddress(text)
  if (version) {
    throw new LoopaiError('INVALID_ADDRESS', `${text} names a version, and this is about the whole app`, {
      hint: `name the app alone: ${loopAppId}`,
    })
  }
  return openAddress(workspace, text)
}

/** For whoever is about to change it: refused at once while git is half-way through a merge. */
export async function openAddressToWrite(workspace: Workspace, text: string): Promise<OpenApp> {
  refuseMerge(workspace)
  return openAddress(workspace, text)
}

export async function openAppToWrite(workspace: Workspace, text: string): Promise<OpenApp> {
  refuseMerge(workspace)
  return openApp(workspace, text)
}

/** Throws while git is half-way through a merge where the workspace is. To be called before anything is read. */
export function refuseMerge(workspace: Workspace): void {
  refuseDuringMerge(findRoot(workspace) ?? workspace.cwd)
}
