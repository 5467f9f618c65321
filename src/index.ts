/**
 * Loopai as a library: what the command line does, as functions that return values. Each takes a workspace first, which says where the
 * data directory is and hears of progress: `createWorkspace({ dir: 'loopai-data' })`. Refusals are `LoopaiError`s.
 */
export { type Added, type AddRequest, add } from './actions/add.ts'
export { type Created, type CreateRequest, create } from './actions/create.ts'
export type { ExecutionReply, Executor } from './actions/executor.ts'
export { type Generated, type GenerateRequest, generate, type Proposal } from './actions/generate.ts'
export { type Initialized, init } from './actions/init.ts'
export { type ListedApp, list } from './actions/list.ts'
export { type LogEntry, type LogRequest, log } from './actions/log.ts'
export { type ExecutorOptions, openExecutor } from './actions/open-executor.ts'
export { type Prepared, type PrepareRequest, prepare } from './actions/prepare.ts'
export { type Promoted, type PromoteRequest, promote } from './actions/promote.ts'
export { type Reproduced, reproduce } from './actions/reproduce.ts'
export { type RollbackRequest, type RolledBack, rollback } from './actions/rollback.ts'
export { type Shown, show } from './actions/show.ts'
export { type Tested, test } from './actions/test.ts'
export { testChanged } from './actions/test-changed.ts'
export { createWorkspace, type Workspace } from './actions/workspace.ts'
export { type ErrorCode, LoopaiError } from './domain/errors.ts'
export type { Json, JsonObject } from './domain/json.ts'
