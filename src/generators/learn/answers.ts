import type { Calibration } from './calibration.ts'
import type { ChoiceTarget } from './targets.ts'

/** The most frequent label and its share of the rows: the answer to an input in which nothing is known. */
export interface Prior {
  /** Position in the list of labels. */
  label: number
  confidence: number
}

export interface Answer {
  label: number
  confidence: number
}

export function priorOf({ label, labels }: Pick<ChoiceTarget, 'label' | 'labels'>): Prior {
  const counts = new Int32Array(labels.length)
  for (const at of label) counts[at]!++
  const most = counts.indexOf(counts.reduce((a, b) => Math.max(a, b)))
  return { label: most, confidence: roundConfidence(counts[most]! / label.length) }
}

/** `scores` are those of one row: one a label, or a single one that is positive for the second of two labels. */
export function answerOf(scores: ArrayLike<number>, calibration: Calibration, prior: Prior): Answer {
  if (Number.isNaN(scores[0])) return prior
  const label = bestLabel(scores)
  return { label, confidence: roundConfidence(probabilityOf(label, scores, calibration)) }
}

/** Highest score; among equals the first. */
export function bestLabel(scores: ArrayLike<number>): number {
  if (scores.length === 1) return scores[0]! > 0 ? 1 : 0
  let best = 0
  for (let label = 1; label < scores.length; label++) if (scores[label]! > scores[best]!) best = label
  return best
}

/**
 * Softmax of sharpness · score; for two labels the sigmoid of sharpness · score + shift, but never below one half for the label
 * that is answered.
 */
function probabilityOf(label: number, scores: ArrayLike<number>, { sharpness, shift }: Calibration): number {
  if (scores.length === 1) {
    const logit = Math.max(-50, Math.min(50, sharpness * scores[0]! + shift))
    const second = 1 / (1 + Math.exp(-logit))
    return Math.max(0.5, label === 1 ? second : 1 - second)
  }
  let sum = 0
  for (let other = 0; other < scores.length; other++)
    sum += Math.exp(sharpness * (scores[other]! - scores[label]!))
  return 1 / sum
}

export function roundConfidence(confidence: number): number {
  return Math.round(confidence * 1e4) / 1e4
}
