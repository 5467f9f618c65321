import type { Draft, LearnedPart } from '../domain/draft.ts'
import type { Example } from '../domain/example.ts'
import { listParts, partOf } from '../domain/learned-part.ts'
import { GENERATORS } from '../generators/index.ts'
import { type Judged, judgeDraft } from './judge-draft.ts'
import type { Workspace } from './workspace.ts'
import type { Search, WritingTask, Written } from './write-program.ts'

/** A learned program in both its roles: a part for others, and a candidate of its own. */
export interface Learned {
  part: LearnedPart
  alone: Judged
}

/** Learns from the rows that the writer is shown, so that the held-out ones judge both. Nothing, when the writer will refuse: it says why. */
export async function learnPart(workspace: Workspace, task: WritingTask): Promise<Learned | undefined> {
  const { brief } = task
  if (brief.external === 'none') return undefined
  const learned = await learn(workspace, task, brief.examples)
  const { outOfFold: _, ...draft } = learned
  const alone = await judgeDraft(workspace, task, { draft, generator: 'learn' })
  return { part: partOf(learned, brief.examples), alone }
}

/** The best program around the learned one; when none does better than that alone, what is learned from all rows. */
export async function finishHybrid(
  workspace: Workspace,
  task: WritingTask,
  { search, learned }: { search: Search; learned: Learned },
): Promise<Written> {
  const { best, remarks, ...rest } = search
  const { part, alone } = learned
  const { accuracy, right, total } = alone.candidate.scorecard.held_out
  const rows = task.brief.examples.length
  const fact = `Learned from ${rows} rows and nothing around it, ${right} of ${total} held-out rows are answered rightly`
  if (best && best !== alone) {
    const { draft, generator } = best
    const about = { generator, rows, ...(accuracy !== null && { accuracy }) }
    const madeOf = draft.learned && listParts(draft, part, about)
    return { ...rest, ...best, remarks: [...remarks, `${fact}.`], ...(madeOf && { madeOf }) }
  }
  await alone.candidate.staged.remove()
  delete search.best
  const draft = await learn(workspace, task, task.yardstick.examples)
  const judged = await judgeDraft(workspace, task, { draft, generator: 'learn' })
  const remark = `${fact}, and no draft does better: this one is learned from all rows instead.`
  return { ...rest, ...judged, remarks: [...remarks, remark] }
}

async function learn({ signal }: Workspace, { brief }: WritingTask, examples: Example[]): Promise<Draft> {
  const { default: learner } = await GENERATORS.learn()
  return learner.generate({ ...brief, examples }, signal)
}
