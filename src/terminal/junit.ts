import type { Tested } from '../actions/test.ts'
import type { CaseFailure } from '../domain/scorecard.ts'
import { escapeMarkup } from './markup.ts'

/** Test results as JUnit XML: a suite a version, with its checks and with the golden cases that are wrong. */
export function junit(tested: Tested[]): string {
  const suites = tested.map(suite)
  const failures = tested.reduce((sum, one) => sum + failuresOf(one).length, 0)
  const tests = tested.reduce((sum, one) => sum + one.checks.length + one.score.cases.failed.length, 0)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="loopai" tests="${tests}" failures="${failures}">`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function suite(tested: Tested): string {
  const { loop_app_id: id, version, checks, score } = tested
  const name = `${id} v${version}`
  const known = checks.map(check =>
    testCase(name, check.name, check.outcome === 'pass' ? undefined : check.message),
  )
  const wrong = score.cases.failed.map(failure => testCase(name, `case ${failure.case}`, describe(failure)))
  const tests = checks.length + wrong.length
  return [
    `  <testsuite name="${escapeMarkup(name)}" tests="${tests}" failures="${failuresOf(tested).length}">`,
    ...known,
    ...wrong,
    '  </testsuite>',
  ].join('\n')
}

function failuresOf({ checks, score }: Tested) {
  return [...checks.filter(check => check.outcome !== 'pass'), ...score.cases.failed]
}

function testCase(suiteName: string, name: string, failure?: string): string {
  const head = `    <testcase classname="${escapeMarkup(suiteName)}" name="${escapeMarkup(name)}"`
  return failure === undefined
    ? `${head}/>`
    : `${head}><failure message="${escapeMarkup(failure)}"/></testcase>`
}

function describe({ expected, got, error }: CaseFailure): string {
  return `expected ${JSON.stringify(expected)}, got ${error ?? JSON.stringify(got)}`
}
