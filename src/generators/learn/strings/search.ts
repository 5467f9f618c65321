import { FORMS } from './amounts.ts'
import { CHANGES, type Change, costOfPiece, type Piece, runPiece, type Sources } from './pieces.ts'
import { costOfPlace, type Place, placesOf } from './positions.ts'

/** One example of the search. */
export interface Shown {
  sources: Sources
  output: string
}

export interface Found {
  pieces: Piece[]
  cost: number
}

/** Pieces that may be tried on an example. */
const MOST_TRIES = 600_000
const MOST_STATES = 20_000
const PIECES_PER_PLACE = 1500
const NAMES_PER_PLACE = 8
const LONGEST_CONSTANT = 12
const PLAIN_CHANGES: Change[] = ['none', 'lower', 'upper', 'title']
const WHOLE_CHANGES: Change[] = ['digits', 'tight', 'unpadded', 'trimmed']

/**
 * The cheapest concatenation of pieces that makes every output, by uniform-cost search: a state says how far each output is made.
 * `banned` are pieces that may not be used, in JSON. `undefined` when there is none, or none within the work that is allowed.
 */
export function findCheapest(examples: Shown[], banned?: Set<string>): Found | undefined {
  const [first, ...others] = examples as [Shown, ...Shown[]]
  const piecesAt = createCandidates(first)
  const values = new Map<string, (string | undefined)[]>()
  const start = examples.map(() => 0)
  const best = new Map([[start.join(), { cost: 0, pieces: [] as Piece[] }]])
  const queue = createQueue()
  queue.push(0, start)
  let tries = 0

  for (let states = 0; states < MOST_STATES; states++) {
    const next = queue.pop()
    if (!next) return undefined
    const { cost, pieces } = best.get(next.state.join())!
    if (next.cost > cost) continue
    if (next.state.every((at, i) => at === examples[i]!.output.length)) return { pieces, cost }
    for (const { piece, key, value, price } of piecesAt(next.state[0]!)) {
      if (banned?.has(key)) continue
      const outcomes = others.map((example, i) => outcomeOf(key, piece, i, example))
      if (++tries > MOST_TRIES) return undefined
      const state = [next.state[0]! + value.length]
      for (let i = 0; i < others.length; i++) {
        const own = outcomes[i]
        const at = next.state[i + 1]!
        if (own === undefined || own === '' || !others[i]!.output.startsWith(own, at)) break
        state.push(at + own.length)
      }
      if (state.length < examples.length) continue
      const total = cost + price
      const known = best.get(state.join())
      if (known && known.cost <= total) continue
      best.set(state.join(), { cost: total, pieces: [...pieces, piece] })
      queue.push(total, state)
    }
  }
  return undefined

  function outcomeOf(key: string, piece: Piece, i: number, { sources }: Shown): string | undefined {
    let own = values.get(key)
    if (!own) {
      own = []
      values.set(key, own)
    }
    if (!(i in own)) own[i] = runPiece(piece, sources)
    return own[i]
  }
}

interface Candidate {
  piece: Piece
  key: string
  /** What it gives for the first example. */
  value: string
  price: number
}

/** Pieces that go on with the first output at a position, the cheapest first. */
function createCandidates({ sources, output }: Shown): (at: number) => Candidate[] {
  const whole = wholePieces(sources)
  const names = sources.texts.map((text, source) =>
    text === undefined ? undefined : placesOf(text, sources.spans[source]!),
  )
  const changed = sources.texts.map(text => PLAIN_CHANGES.map(change => CHANGES[change].apply(text ?? '')))
  const known = new Map<number, Candidate[]>()
  return at => {
    const candidates = known.get(at) ?? [
      ...constants(at),
      ...cuts(at),
      ...whole.filter(({ value }) => output.startsWith(value, at)),
    ]
    candidates.sort((a, b) => a.price - b.price)
    known.set(at, candidates.slice(0, PIECES_PER_PLACE))
    return known.get(at)!
  }

  function constants(at: number): Candidate[] {
    const lengths = Array.from({ length: Math.min(LONGEST_CONSTANT, output.length - at) }, (_, i) => i + 1)
    return lengths.map(length =>
      candidate({ make: 'constant', text: output.slice(at, at + length) }, sources),
    )
  }

  /** Stretches of a source that the output goes on with. */
  function cuts(at: number): Candidate[] {
    return sources.texts.flatMap((text, source) => {
      if (text === undefined) return []
      return [...names[source]!].flatMap(([from, starts]) =>
        PLAIN_CHANGES.flatMap((change, c) => {
          const common = commonLength(changed[source]![c]!, from, at)
          if (changed[source]![c]!.length !== text.length) return []
          return [...names[source]!]
            .filter(([to]) => to > from && to - from <= common)
            .filter(([to]) => change === 'none' || text.slice(from, to) !== output.slice(at, at + to - from))
            .flatMap(([, ends]) => cutsBetween({ source, starts, ends, change }))
        }),
      )
    })
  }

  function commonLength(text: string, from: number, at: number): number {
    let length = 0
    while (from + length < text.length && text[from + length] === output[at + length]) length++
    return length
  }

  /** Cuts whose length changes, which have to be made to be known, and parts of dates and numbers. */
  function wholePieces(sources: Sources): Candidate[] {
    return sources.texts.flatMap((text, source): Candidate[] => {
      if (text === undefined) return []
      const spans = sources.spans[source]!
      const stretches: { starts: Place[]; ends: Place[] }[] = [{ starts: ['first'], ends: ['last'] }]
      for (const [kind, found] of spans) {
        if (kind.length === 1) continue
        found.forEach((_, at) => {
          const place = (edge: 'start' | 'end') =>
            [at, at - found.length].map(index => ({ kind, edge, index }))
          stretches.push({ starts: place('start'), ends: place('end') })
        })
      }
      const cut = WHOLE_CHANGES.flatMap(change =>
        stretches.flatMap(stretch => cutsBetween({ source, ...stretch, change })),
      )
      const moments = [false, true].flatMap(dayFirst =>
        Object.keys(sources.moments[source]![dayFirst ? 1 : 0]!).flatMap(part =>
          (['none', 'lower', 'upper'] as const).map(change =>
            candidate({ make: 'moment', source, dayFirst, part, change }, sources),
          ),
        ),
      )
      const amounts = sources.amounts[source]!.flatMap((_, index) =>
        FORMS.map(form => candidate({ make: 'amount', source, index, form }, sources)),
      )
      return [...cut, ...moments, ...amounts].filter(({ value }) => value !== '')
    })
  }

  function cutsBetween(stretch: {
    source: number
    starts: Place[]
    ends: Place[]
    change: Change
  }): Candidate[] {
    const { source, starts, ends, change } = stretch
    const few = (places: Place[]) =>
      [...places].sort((a, b) => costOfPlace(a) - costOfPlace(b)).slice(0, NAMES_PER_PLACE)
    return few(starts).flatMap(from =>
      few(ends).map(to => candidate({ make: 'cut', source, from, to, change }, sources)),
    )
  }
}

function candidate(piece: Piece, sources: Sources): Candidate {
  return {
    piece,
    key: JSON.stringify(piece),
    value: runPiece(piece, sources) ?? '',
    price: costOfPiece(piece),
  }
}

/** A binary heap; among equal costs the first that came. */
function createQueue() {
  const heap: { cost: number; order: number; state: number[] }[] = []
  let count = 0
  const isBefore = (a: number, b: number) =>
    heap[a]!.cost < heap[b]!.cost || (heap[a]!.cost === heap[b]!.cost && heap[a]!.order < heap[b]!.order)
  const swap = (a: number, b: number) => {
    const member = heap[a]!
    heap[a] = heap[b]!
    heap[b] = member
  }
  return {
    push(cost: number, state: number[]) {
      heap.push({ cost, order: count++, state })
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1
        if (!isBefore(at, parent)) break
        swap(at, parent)
        at = parent
      }
    },
    pop() {
      if (heap.length === 0) return undefined
      swap(0, heap.length - 1)
      const top = heap.pop()!
      for (let at = 0; ; ) {
        const left = 2 * at + 1
        const right = left + 1
        let least = at
        if (left < heap.length && isBefore(left, least)) least = left
        if (right < heap.length && isBefore(right, least)) least = right
        if (least === at) return top
        swap(at, least)
        at = least
      }
    },
  }
}
