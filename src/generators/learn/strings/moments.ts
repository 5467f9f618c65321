const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const TIME = /([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]+)?[ ]*([AaPp]\.?[Mm]\.?)?/

/** Parts of the date and the time that a text holds, by name; what it does not hold is left out. */
export function momentParts(text: string, dayFirst: boolean): Record<string, string> {
  const time = TIME.exec(text)
  const rest = time ? `${text.slice(0, time.index)} ${text.slice(time.index + time[0].length)}` : text
  const date = dateOf(rest, dayFirst)
  return { ...(date && dateParts(date)), ...(time && timeParts(time)) }
}

interface Day {
  year: number
  month: number
  day: number
}

function dateOf(text: string, dayFirst: boolean): Day | undefined {
  const numbers: string[] = text.match(/[0-9]+/g) ?? []
  const words: string[] = text.match(/[A-Za-z]+/g) ?? []
  const named = words
    .map(word =>
      MONTHS.findIndex(month => word.length >= 3 && month.toLowerCase().startsWith(word.toLowerCase())),
    )
    .find(at => at >= 0)
  const [a, b, c] = numbers
  if (named !== undefined && a !== undefined && b !== undefined) {
    return a.length === 4 ? checked(a, named + 1, b) : checked(b, named + 1, a)
  }
  if (named !== undefined || a === undefined) return undefined
  if (numbers.length === 1 && a.length === 8) return checked(a.slice(0, 4), Number(a.slice(4, 6)), a.slice(6))
  if (b === undefined || c === undefined) return undefined
  if (a.length === 4) return checked(a, Number(b), c)
  return dayFirst ? checked(c, Number(b), a) : checked(c, Number(a), b)
}

function checked(yearDigits: string, month: number, dayDigits: string): Day | undefined {
  const short = Number(yearDigits)
  const year = short >= 100 ? short : short + (short < 50 ? 2000 : 1900)
  const day = Number(dayDigits)
  const isReal = year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
  return isReal ? { year, month, day } : undefined
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function dateParts({ year, month, day }: Day): Record<string, string> {
  const weekday = DAYS[new Date(Date.UTC(year, month - 1, day)).getUTCDay()]!
  const name = MONTHS[month - 1]!
  return {
    year: String(year),
    short_year: two(year % 100),
    month: String(month),
    month_two_digits: two(month),
    month_name: name,
    short_month_name: name.slice(0, 3),
    quarter: String(Math.floor((month + 2) / 3)),
    day: String(day),
    day_two_digits: two(day),
    ordinal_day: day + (day >= 10 && day <= 20 ? 'th' : (['th', 'st', 'nd', 'rd'][day % 10] ?? 'th')),
    weekday,
    short_weekday: weekday.slice(0, 3),
  }
}

function timeParts([, hours, minutes, seconds, half]: RegExpExecArray): Record<string, string> {
  const spoken = Number(hours)
  const hour = half ? (spoken % 12) + (half[0]!.toLowerCase() === 'p' ? 12 : 0) : spoken
  if (hour > 23 || Number(minutes) > 59) return {}
  const clock = ((hour + 11) % 12) + 1
  return {
    hour: String(hour),
    hour_two_digits: two(hour),
    hour_of_twelve: String(clock),
    hour_of_twelve_two_digits: two(clock),
    minute: String(Number(minutes)),
    minute_two_digits: two(Number(minutes)),
    second_two_digits: two(Number(seconds ?? 0)),
    half_of_day: hour < 12 ? 'AM' : 'PM',
  }
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
