#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli } from './cli/main.js'

// By path and at run time: the package's own package.json is beside dist/.
const packageJson = join(dirname(fileURLToPath(import.meta.url)), '..', 'package.json')
const { version } = JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string }

process.exitCode = await runCli(process.argv.slice(2), version)
