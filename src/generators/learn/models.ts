import type { Crew } from './crew.ts'
import type { Effort, FitResult, FitTask, Setting } from './fit.ts'

/** Threads that fit linear models with this many lanes. */
export interface LinearCrew extends Crew<FitTask, FitResult> {
  lanes: number
}

/** A model to fit: all lanes of it. */
export interface ModelRequest {
  setting: Setting
  effort: Effort
  /** Names the rows: requests with the same name have the same `train`, `test` and `keep`. */
  name: string
  train: Int32Array
  test?: Int32Array
  keep?: FitTask['keep']
}

/** Lanes in one task. Fixed, so that sums over tasks do not depend on the number of threads. */
const LANES_PER_TASK = 8

/** Fits each model on its `train` rows and scores its `test` rows: one row a test row, one value a lane. */
export async function scoreModels(
  crew: LinearCrew,
  requests: ModelRequest[],
): Promise<{ scores: Float32Array; work: number }[]> {
  const results = await crew.run(requests.flatMap(request => tasksOf(request, 'scores', crew.lanes)))
  const tasksPerModel = results.length / requests.length
  return requests.map((_, i) => {
    const own = results.slice(i * tasksPerModel, (i + 1) * tasksPerModel)
    return { scores: joinLanes(own, crew.lanes), work: own.reduce((sum, { work }) => sum + work, 0) }
  })
}

/** How much each column matters: (Σ weights²) · (Σ values²). */
export async function measureImportance(crew: LinearCrew, request: ModelRequest): Promise<Float64Array> {
  const results = await crew.run(tasksOf(request, 'importance', crew.lanes))
  const [sums, ...others] = results.map(result => result.importance!)
  for (const other of others) {
    for (let column = 0; column < other.length; column++) sums![column]! += other[column]!
  }
  return sums!
}

/** Weights (one row a lane, one value a column) and biases (one a lane). */
export async function fitWeights(
  crew: LinearCrew,
  request: ModelRequest,
): Promise<{ weights: Float32Array; biases: Float32Array }> {
  const results = await crew.run(tasksOf(request, 'weights', crew.lanes))
  return {
    weights: concatenate(results.map(result => result.weights!)),
    biases: concatenate(results.map(result => result.biases)),
  }
}

function tasksOf(request: ModelRequest, want: FitTask['want'], lanes: number): FitTask[] {
  const { setting, effort, train, test = new Int32Array(0), keep, name } = request
  const matrixKey = [name, setting.use.words, setting.use.chars, setting.counting].join()
  const tasks: FitTask[] = []
  for (let from = 0; from < lanes; from += LANES_PER_TASK) {
    const to = Math.min(from + LANES_PER_TASK, lanes)
    tasks.push({ setting, effort, train, test, matrixKey, lanes: [from, to], want, ...(keep && { keep }) })
  }
  return tasks
}

/** Puts the lanes of several tasks side by side. */
function joinLanes(results: FitResult[], lanes: number): Float32Array {
  const rows = results[0]!.scores!.length / results[0]!.biases.length
  const joined = new Float32Array(rows * lanes)
  let lane = 0
  for (const { scores, biases } of results) {
    const width = biases.length
    for (let row = 0; row < rows; row++) {
      joined.set(scores!.subarray(row * width, (row + 1) * width), row * lanes + lane)
    }
    lane += width
  }
  return joined
}

function concatenate(parts: Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
