#!/usr/bin/env node
import module from 'node:module'

// Node 22 and newer keep what they have compiled, and start faster the next time.
module.enableCompileCache?.()
const { main } = await import('../dist/cli.js')

process.exitCode = await main(process.argv)
