import type { Progress } from '../../domain/draft.ts'
import type { Effort, Setting } from './fit.ts'
import { createTrial, type FoldRun, type LinearProblem, runFolds, type Sample, type Trial } from './folds.ts'
import type { LinearCrew } from './models.ts'
import { ALL_FOLDS } from './rows.ts'
import { createRandom, shuffle } from './svm.ts'

export interface Race {
  problem: LinearProblem
  crew: LinearCrew
  /** Lowers the effort where rows and labels are so many that a fit would take minutes. */
  afford: (effort: Effort) => Effort
  /** Texts are long, so exact counts of features are worth a try. */
  long: boolean
  report: (progress: Progress) => void
}

const BLOCKS = {
  both: { words: true, chars: true },
  words: { words: true, chars: false },
  chars: { words: false, chars: true },
}
const COSTS = [0.3, 1, 3]
const DEFAULT: Setting = { use: BLOCKS.both, cost: 1 }
const EXACT: Setting = { ...DEFAULT, counting: 'features' }
const ROUNDS: Setting[][] = [
  COSTS.filter(cost => cost !== DEFAULT.cost).map(cost => ({ use: BLOCKS.both, cost })),
  COSTS.map(cost => ({ use: BLOCKS.words, cost })),
  COSTS.map(cost => ({ use: BLOCKS.chars, cost })),
]

/** Up to here every setting answers all rows, and the default has to be beaten by more than chance. */
const FEW_ROWS = 2500
const FINALISTS = 3
/** Below, naive Bayes may know better than a support vector machine. */
const VERY_FEW_ROWS = 100
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
    sample: { name: 'half', has: Uint8Array.from(race.problem.rows.half) },
  })
  return half
}

function hasFewRows({ problem }: Race): boolean {
  return problem.rows.fold.length <= FEW_ROWS
}

async function chooseAmongFew(race: Race): Promise<Trial> {
  const trials = await tryAffordable(race, { folds: ALL_FOLDS, effort: race.afford(THOROUGH) })
  const usual = trials[0]!
  const best = ranked(trials)[0]!
  return best.quality - usual.quality > standardError(race, best) ? best : usual
}

/** One fold of a sample for all settings, then whole folds for the best three, then the folds that the winner still lacks. */
async function chooseAmongMany(race: Race): Promise<Trial> {
  const { problem, crew } = race
  const count = problem.rows.fold.length
  const size = Math.max(2000, 20 * crew.lanes)
  const sample = sampleRows(problem, size)
  const qualified = ranked(await tryAffordable(race, { folds: [0], effort: race.afford(ROUGH), sample }))

  const effort = race.afford(USUAL)
  const foldWork = (qualified[0]!.work * count) / Math.min(size, count)
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
    ...(share < 1 && { sample: sampleRows(problem, share * count) }),
  })
  return best
}

/** The default first: what it costs decides which rounds can be afforded. */
function roundsOf({ problem, long }: Race): Setting[][] {
  const costs = COSTS.filter(cost => cost !== DEFAULT.cost)
  return [
    [DEFAULT],
    ...(long ? [[EXACT], costs.map(cost => ({ ...EXACT, cost }))] : []),
    ...(problem.rows.fold.length < VERY_FEW_ROWS ? [[{ ...DEFAULT, bayes: true }]] : []),
    ...(problem.metric === 'macro_f1' ? [COSTS.map(cost => ({ ...DEFAULT, cost, balanced: true }))] : []),
    ...ROUNDS,
  ]
}

/** Tries the settings round by round as long as the budget allows a whole round. */
async function tryAffordable(race: Race, run: FoldRun): Promise<Trial[]> {
  const trials: Trial[] = []
  const rounds = roundsOf(race)
  for (const [done, round] of rounds.entries()) {
    const expected = trials.length === 0 ? 0 : (workOf(trials) / trials.length) * round.length
    if (workOf(trials) + expected > BUDGET.comparison) break
    race.report({ stage: 'comparing settings', done, total: rounds.length })
    const next = round.map(setting => createTrial(race.problem, race.crew, setting))
    await runFolds(race, next, run)
    trials.push(...next)
  }
  return trials
}

/** Best first; among equals the one that was tried first. */
function ranked(trials: Trial[]): Trial[] {
  return [...trials].sort((a, b) => b.quality - a.quality)
}

function workOf(trials: Trial[]): number {
  return trials.reduce((sum, trial) => sum + trial.work, 0)
}

/** Of a share of right answers. */
function standardError({ problem }: Race, { quality, rows }: Trial): number {
  return Math.sqrt(Math.max(quality * (1 - quality), 0.01) / (rows * problem.targets.length))
}

/** About `size` rows, of every label of the first target its share. */
function sampleRows({ targets, rows }: LinearProblem, size: number): Sample {
  const has = new Uint8Array(rows.fold.length)
  const share = Math.min(1, size / has.length)
  const first = targets[0]!
  const label = first.kind === 'choice' ? first.label : new Int32Array(has.length)
  const labels = first.kind === 'choice' ? first.labels.length : 1
  for (let at = 0; at < labels; at++) {
    const own = Int32Array.from(label, (_, row) => row).filter(row => label[row] === at)
    shuffle(own, own.length, createRandom(rows.seed + at + 1))
    for (const row of own.subarray(0, Math.ceil(own.length * share))) has[row] = 1
  }
  return { name: `sample of ${size}`, has }
}
