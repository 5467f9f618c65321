import type { Finding } from './finding.ts'

/** Versions of the programs that Loopai stands on, as they name themselves. */
export interface Environment {
  node: string
  /** Absent when it is not installed. */
  git: string | undefined
}

export function environmentFindings({ node, git }: Environment): Finding[] {
  const finding = (message: string, fix: string): Finding => ({
    kind: 'environment',
    loop_app_id: null,
    message,
    fix,
  })
  const findings: Finding[] = []
  if (!isAtLeast(node, '20.19')) {
    findings.push(
      finding(`Node ${node} is too old: 20.19 or newer is needed`, 'install Node 22 from https://nodejs.org'),
    )
  }
  if (git === undefined) findings.push(finding('git is not installed', 'apt-get install git'))
  else if (!isAtLeast(git, '2.36'))
    findings.push(finding(`git ${git} is too old: 2.36 or newer is needed`, NEWER_GIT))
  else if (!isAtLeast(git, '2.38'))
    findings.push(finding(`git ${git} is too old for sync, which needs 2.38`, NEWER_GIT))
  return findings
}

const NEWER_GIT = 'install a newer git from https://git-scm.com'

/** Compares versions such as `v20.19.1` and `2.39.5.windows.1` by their first numbers. */
export function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string) =>
    text
      .replace(/^v/, '')
      .split('.')
      .map(part => Number.parseInt(part, 10) || 0)
  const [have, need] = [numbers(version), numbers(least)]
  for (const [i, wanted] of need.entries()) {
    const found = have[i] ?? 0
    if (found !== wanted) return found > wanted
  }
  return true
}
