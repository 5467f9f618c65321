const AMOUNT = /-?[0-9][0-9,]*(?:\.[0-9]+)?|-?\.[0-9]+/g
const LARGEST = 1e12
const MOST_AMOUNTS = 3

/** How a number can be written. */
export type AmountForm =
  | { to: 'nearest' | 'below' | 'above'; decimals: number; grouped: boolean }
  | { width: number }

export const FORMS: AmountForm[] = [
  ...(['nearest', 'below', 'above'] as const).flatMap(to =>
    [0, 1, 2, 3].flatMap(decimals => [false, true].map(grouped => ({ to, decimals, grouped }))),
  ),
  ...[2, 3, 4, 5, 6, 8, 10].map(width => ({ width })),
]

/** The first numbers of a text. */
export function amountsOf(text: string): number[] {
  const found: string[] = text.match(AMOUNT) ?? []
  return found.slice(0, MOST_AMOUNTS).map(digits => Number(digits.replaceAll(',', '')))
}

/** Rounds a half up, as `floor` does; `undefined` where a form does not suit a number. */
export function writeAmount(amount: number, form: AmountForm): string | undefined {
  if (Math.abs(amount) > LARGEST) return undefined
  if ('width' in form)
    return Number.isInteger(amount) && amount >= 0 ? String(amount).padStart(form.width, '0') : undefined
  const units = 10 ** form.decimals
  const whole =
    form.to === 'nearest'
      ? Math.floor(amount * units + 0.5)
      : form.to === 'below'
        ? Math.floor(amount * units + 1e-9)
        : Math.ceil(amount * units - 1e-9)
  const digits = String(Math.abs(whole)).padStart(form.decimals + 1, '0')
  const point = digits.length - form.decimals
  const front = digits.slice(0, point)
  const grouped = form.grouped ? front.replace(/\B(?=(?:[0-9]{3})+$)/g, ',') : front
  return `${whole < 0 ? '-' : ''}${grouped}${form.decimals > 0 ? `.${digits.slice(point)}` : ''}`
}
