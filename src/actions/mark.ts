import { parseAddress } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import { type Mark, marks } from '../domain/history.ts'
import { readHistory } from '../store/history.ts'
import { resolveVersion } from '../store/versions.ts'
import { tell } from './entry.ts'
import { openAddressToWrite } from './open-app.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface Marked {
  loop_app_id: string
  version: number
  mark: Mark
  changed: boolean
  commit: string | null
}

/** Judges a version by hand. A rollback walks past a bad one; `good` takes an earlier judgement back. */
export async function mark(workspace: Workspace, address: string, judgement: Mark): Promise<Marked> {
  const { data, app, version: selector } = await openNamedVersion(workspace, address, 'mark')
  const version = await resolveVersion(app, selector)
  return write(workspace, data, async transaction => {
    const result = { loop_app_id: app.id, version: version.number, mark: judgement }
    const before = marks(await readHistory(app)).get(version.number)
    if (before === judgement) return { ...result, changed: false, commit: null }
    const name = { number: version.number, digest: version.manifest.digest }
    const told = await tell(workspace, transaction, app, { op: 'mark', to: name, mark: judgement })
    const commit = await transaction.commit({
      kind: 'flip',
      subject: `${app.id}: mark v${version.number} ${judgement}`,
      trailers: told.trailers,
      files: [told.history],
    })
    return { ...result, changed: true, commit }
  })
}

/** For what must not happen to a version that was not named. */
export async function openNamedVersion(workspace: Workspace, address: string, command: string) {
  const { version } = parseAddress(address)
  const opened = await openAddressToWrite(workspace, address)
  if (version) return { ...opened, version }
  throw new LoopaiError('MISSING_VALUE', `${address} names no version`, {
    hint: `loopai ${command} ${address}@v1   (loopai show ${address} lists them)`,
  })
}
