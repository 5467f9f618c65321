import { createTally, type Statistics } from '../domain/statistics.ts'
import { readExecutions } from '../store/datasets.ts'
import { openApp } from './open-app.ts'
import type { Workspace } from './workspace.ts'

export interface AppStatistics extends Statistics {
  loop_app_id: string
  /** First UTC day that was counted. */
  since: string
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Counts the executions of an app since a UTC day; by default of today and the six days before. */
export async function stats(workspace: Workspace, id: string, since?: string): Promise<AppStatistics> {
  const { app } = await openApp(workspace, id)
  const first = since ?? new Date(workspace.now().getTime() - 6 * DAY_MS).toISOString().slice(0, 10)
  const tally = createTally()
  for await (const execution of readExecutions(app, first)) tally.add(execution)
  return { loop_app_id: app.id, since: first, ...tally.result() }
}
