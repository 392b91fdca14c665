import type { DistributionOf } from '../ir/distribution.js'
import { brief } from './checks.js'
import { checkConstant } from './constant.js'
import type { DistributionDefinition } from './kind.js'
import { isRun, piecesDistribution } from './pieces.js'

type Diagonal = DistributionOf<'diagonal'>

/** The same as pieces. */
const piecesOf = ({ value, elementCount, runs }: Diagonal): DistributionOf<'pieces'> => ({
  kind: 'pieces',
  base: 0,
  elementCount,
  runs: runs.map((run) => ({ ...run, value })),
})

export const diagonalDistribution: DistributionDefinition<Diagonal> = {
  drawn: false,
  fields: { value: 'number', elementCount: 'number', runs: 'list' },
  fits: ({ runs }, elementCount) => Array.isArray(runs) && runs.every((run) => isRun(run, elementCount, 2)),
  elementCount: ({ elementCount }) => elementCount,
  check(distribution, dtype, where) {
    checkConstant(distribution.value, dtype, where)
    return distribution
  },
  expected: (distribution) => piecesDistribution.expected(piecesOf(distribution)),
  describe: ({ value, runs }) => `diagonal(${brief(value)} x ${runs.reduce((sum, { count }) => sum + count, 0)})`,
  fill: (distribution, dtype, stream) => piecesDistribution.fill(piecesOf(distribution), dtype, stream),
}
