import type { Progress } from '../../domain/draft.ts'
import type { Crew } from './crew.ts'
import type { Effort, Setting } from './fit.ts'
import { ALL_FOLDS, createTrial, type FoldRun, runFolds, type Sample, type Trial } from './folds.ts'
import type { Problem } from './problem.ts'
import { createRandom, shuffle } from './svm.ts'

export interface Race {
  problem: Problem
  crew: Crew
  /** Lowers the effort where rows and labels are so many that a fit would take minutes. */
  afford: (effort: Effort) => Effort
  report: (progress: Progress) => void
}

const BLOCKS = {
  both: { words: true, chars: true },
  words: { words: true, chars: false },
  chars: { words: false, chars: true },
}
const COSTS = [0.3, 1, 3]
const DEFAULT: Setting = { use: BLOCKS.both, cost: 1 }
/** The default first: what it costs decides which rounds can be afforded. */
const ROUNDS: Setting[][] = [
  [DEFAULT],
  COSTS.filter(cost => cost !== DEFAULT.cost).map(cost => ({ use: BLOCKS.both, cost })),
  COSTS.map(cost => ({ use: BLOCKS.words, cost })),
  COSTS.map(cost => ({ use: BLOCKS.chars, cost })),
]

/** Up to here every setting answers all rows, and the default has to be beaten by more than chance. */
const FEW_ROWS = 2500
const FINALISTS = 3
/** Matrix entries that may be visited to compare settings, for the answers to all rows, and for a learning curve: 2 to 3 ns each on two cores. */
const BUDGET = { comparison: 3e9, answers: 6e9, curve: 2e9 }

const THOROUGH: Effort = { tolerance: 0.1, maxEpochs: 100 }
const USUAL: Effort = { tolerance: 0.2, maxEpochs: 40 }
const ROUGH: Effort = { tolerance: 0.3, maxEpochs: 20 }

/** Compares settings and returns the best with its answers to all rows. */
export function chooseSetting(race: Race): Promise<Trial> {
  return hasFewRows(race) ? chooseAmongFew(race) : chooseAmongMany(race)
}

/** How a setting does when it learns from only half of the rows, on as many folds as can be afforded after `full`. */
export async function tryHalf(race: Race, full: Trial): Promise<Trial> {
  const foldWork = full.work / full.folds.length / 2
  const folds = ALL_FOLDS.slice(0, Math.max(1, Math.floor(BUDGET.curve / foldWork)))
  const half = createTrial(race.problem, race.crew, full.setting)
  const effort = race.afford(hasFewRows(race) ? THOROUGH : USUAL)
  await runFolds(race, [half], {
    folds,
    effort,
    sample: { name: 'half', has: Uint8Array.from(race.problem.half) },
  })
  return half
}

function hasFewRows({ problem }: Race): boolean {
  return problem.texts.length <= FEW_ROWS
}

async function chooseAmongFew(race: Race): Promise<Trial> {
  const trials = await tryAffordable(race, { folds: ALL_FOLDS, effort: race.afford(THOROUGH) })
  const fallback = trials[0]!
  const best = ranked(trials)[0]!
  return best.right - fallback.right > standardError(best) ? best : fallback
}

/** One fold of a sample for all settings, then whole folds for the best three, then the folds that the winner still lacks. */
async function chooseAmongMany(race: Race): Promise<Trial> {
  const { problem, crew } = race
  const size = Math.max(2000, 20 * problem.labels.length)
  const sample = sampleRows(problem, size)
  const qualified = ranked(await tryAffordable(race, { folds: [0], effort: race.afford(ROUGH), sample }))

  const effort = race.afford(USUAL)
  const foldWork = (qualified[0]!.work * problem.texts.length) / Math.min(size, problem.texts.length)
  const places = FINALISTS * foldWork <= BUDGET.comparison ? FINALISTS : 1
  const finalists = qualified.slice(0, places).map(({ setting }) => createTrial(problem, crew, setting))
  if (places > 1) {
    for (const fold of ALL_FOLDS) {
      if (workOf(finalists) * (1 + 1 / (fold || Infinity)) > BUDGET.comparison) break
      race.report({ stage: 'comparing the best settings', done: fold, total: ALL_FOLDS.length })
      await runFolds(race, finalists, { folds: [fold], effort })
    }
  }
  const best = ranked(finalists)[0]!
  const missing = ALL_FOLDS.filter(fold => !best.folds.includes(fold))
  const share = BUDGET.answers / (foldWork * missing.length)
  race.report({ stage: 'answering every example unseen', done: best.folds.length, total: ALL_FOLDS.length })
  await runFolds(race, [best], {
    folds: missing,
    effort,
    ...(share < 1 && { sample: sampleRows(problem, share * problem.texts.length) }),
  })
  return best
}

/** Tries the settings round by round as long as the budget allows a whole round. */
async function tryAffordable(race: Race, run: FoldRun): Promise<Trial[]> {
  const trials: Trial[] = []
  for (const [done, round] of ROUNDS.entries()) {
    const expected = trials.length === 0 ? 0 : (workOf(trials) / trials.length) * round.length
    if (workOf(trials) + expected > BUDGET.comparison) break
    race.report({ stage: 'comparing settings', done, total: ROUNDS.length })
    const next = round.map(setting => createTrial(race.problem, race.crew, setting))
    await runFolds(race, next, run)
    trials.push(...next)
  }
  return trials
}

/** Best first; among equals the one that was tried first. */
function ranked(trials: Trial[]): Trial[] {
  const share = ({ right, rows }: Trial) => (rows === 0 ? 0 : right / rows)
  return [...trials].sort((a, b) => share(b) - share(a))
}

function workOf(trials: Trial[]): number {
  return trials.reduce((sum, trial) => sum + trial.work, 0)
}

/** Of a number of right answers. */
function standardError({ right, rows }: Trial): number {
  const share = right / rows
  return Math.sqrt(rows * Math.max(share * (1 - share), 0.01))
}

/** About `size` rows, of every label its share. */
function sampleRows({ label, labels, seed }: Problem, size: number): Sample {
  const has = new Uint8Array(label.length)
  const share = Math.min(1, size / label.length)
  labels.forEach((_, at) => {
    const rows = Int32Array.from(label, (_, row) => row).filter(row => label[row] === at)
    shuffle(rows, rows.length, createRandom(seed + at + 1))
    for (const row of rows.subarray(0, Math.ceil(rows.length * share))) has[row] = 1
  })
  return { name: `sample of ${size}`, has }
}
