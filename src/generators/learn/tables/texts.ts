import { fitFinal } from '../final.ts'
import type { Effort, Setting } from '../fit.ts'
import { lanesOfTarget } from '../lanes.ts'
import type { LinearModel } from '../model.ts'
import { type ModelRequest, scoreModels } from '../models.ts'
import { ALL_FOLDS, allRows, type Rows } from '../rows.ts'
import type { ChoiceTarget, NumberTarget } from '../targets.ts'
import { affordable, readFeatures, startLinearCrew, type TrainOptions } from '../train.ts'
import type { Path } from './columns.ts'
import type { Source } from './model.ts'

/** Text columns as numbers: what linear models make of a text that they have not seen. */
export interface TextScores {
  /** By the fold whose rows the reader of the scores has not seen either, or `all`: one array a source. */
  scores: Record<string, Float64Array[]>
  sources: Source[]
  models: LinearModel[]
}

export const NO_TEXTS: TextScores = { scores: {}, sources: [], models: [] }

const SETTING: Setting = { use: { words: true, chars: true }, cost: 0.3 }
const EFFORT: Effort = { tolerance: 0.1, maxEpochs: 100 }
const MOST_BYTES = 3e6

export async function scoreTexts(
  columns: { path: Path; texts: string[] }[],
  { rows, target }: { rows: Rows; target: ChoiceTarget | NumberTarget },
  options: TrainOptions,
): Promise<TextScores> {
  const result: TextScores = { scores: {}, sources: [], models: [] }
  for (const [done, { path, texts }] of columns.entries()) {
    options.report({ stage: 'reading the text columns', done, total: columns.length })
    const { features, names } = readFeatures(texts, rows)
    const lanes = lanesOfTarget(target)
    const crew = startLinearCrew({ features, lanes, seed: rows.seed }, options)
    const afford = affordable(features, lanes.length)
    const answered = await scoreFolds()
    for (const key of ['all', ...ALL_FOLDS]) {
      result.scores[key] = [...(result.scores[key] ?? []), ...lanes.map((_, lane) => column(key, lane))]
    }
    result.sources.push(...lanes.map((_, lane) => ({ path, text: { model: done, lane } })))
    result.models.push(
      await fitFinal({
        crew,
        features,
        names,
        setting: SETTING,
        train: allRows(rows),
        afford,
        report: () => {},
        mostBytes: MOST_BYTES / columns.length,
      }),
    )
    await crew.close()

    /** Answers to the rows of one or two folds by models that had seen neither. */
    async function scoreFolds(): Promise<Map<string, Map<number, Float32Array>>> {
      const pairs = ALL_FOLDS.flatMap(a => ALL_FOLDS.filter(b => b >= a).map(b => [a, b] as const))
      const requests = pairs.map(([a, b]): ModelRequest => {
        const isTested = (row: number) => rows.fold[row] === a || rows.fold[row] === b
        const all = allRows(rows)
        const train = all.filter(row => !isTested(row))
        return {
          setting: SETTING,
          effort: afford(EFFORT),
          name: `${a} ${b}`,
          train,
          test: all.filter(isTested),
        }
      })
      const scored = await scoreModels(crew, requests)
      return new Map(
        requests.map(({ name, test }, i) => {
          const { scores } = scored[i]!
          const ofRow = (at: number) => scores.subarray(at * lanes.length, (at + 1) * lanes.length)
          return [name, new Map(Array.from(test!, (row, at) => [row, ofRow(at)]))]
        }),
      )
    }

    /** Scores of all rows by models that had seen neither the row's own fold nor the fold `key`. */
    function column(key: string | number, lane: number): Float64Array {
      const values = new Float64Array(new SharedArrayBuffer(8 * rows.fold.length))
      rows.fold.forEach((fold, row) => {
        const pair = key === 'all' ? [fold, fold] : [fold, Number(key)].sort((a, b) => a - b)
        values[row] = answered.get(pair.join(' '))!.get(row)![lane]!
      })
      return values
    }
  }
  return result
}
