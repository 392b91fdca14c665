// Every value of the golden files of other libraries' generators on the device; test/unit/generators/golden.slow.test.ts has the
// CPU. Whole models: torch-models.test.ts.
import { expect, test } from 'vitest'
import { deviceTarget } from '../support/golden/device.js'
import { goldenChecks } from '../support/golden/files.js'
import { checkGolden } from '../support/golden/golden.js'
import { GoldenRows } from '../support/golden/rows.js'
import { loadVectors } from '../support/golden/vectors.js'
import { adapterName, useDevice } from '../support/gpu.js'

const gpu = useDevice()

test.each(Object.entries(goldenChecks))(`%s on ${adapterName}`, async (file, checks) => {
  const rows = new GoldenRows(deviceTarget(gpu))
  expect(await checkGolden(loadVectors(file), checks(rows))).toEqual([])
  await rows.run()
})
