import type { Finding } from '../domain/finding.ts'
import { printable } from './errors.ts'
import type { Style } from './style.ts'

/** Findings, each with what to do about it. */
export function describeFindings(findings: Finding[], { red, dim }: Style): string[] {
  return findings.flatMap(({ message, fix }) => [
    `${red('✗')} ${printable(message)}`,
    dim(`  fix: ${printable(fix)}`),
  ])
}

/** The same for a pull request's summary. */
export function findingsAsMarkdown(title: string, findings: Finding[]): string {
  if (findings.length === 0) return `### ${title}\n\nNothing to object to.\n\n`
  const rows = findings.map(({ message, fix }) => `| ${cell(message)} | ${cell(fix)} |\n`)
  return `### ${title}\n\n| finding | what to do |\n|---|---|\n${rows.join('')}\n`
}

/** What a pull request brings must not be able to add markup of its own. */
function cell(text: string): string {
  return printable(text)
    .replace(/[\\`*_[\]<>|#!@&]/g, '\\$&')
    .replaceAll('\n', '<br>')
}
