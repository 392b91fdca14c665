// The HTML report: data stays data whatever the names are, and a failed test shows.
import { expect, test } from 'vitest'
import { initializeModel } from '../../../src/index.js'
import { type CheckLike, reportData } from '../../../src/report/build.js'
import { escapeHtml, reportHtml } from '../../../src/report/html.js'
import { type ReportData, reportPasses } from '../../../src/report/types.js'

const hostile = '</script><script>pwned=1</script><!-- & "\u2028\'<img src=x onerror=pwned=2>'
const page = { script: 'void 0', style: 'p{}' }

async function dataOf(name = 'w', check?: CheckLike): Promise<ReportData> {
  const model = { parameters: [{ name, shape: [40, 50] }] }
  using weights = await initializeModel(model, 'normal', { std: 0.5 }, { device: 'cpu', seed: 1 })
  return reportData({
    title: name,
    madeBy: 'a test',
    facts: [['seed', name]],
    plan: weights.plan,
    statistics: await weights.statistics(),
    verification: await weights.verify(),
    check,
    signalNote: name,
  })
}

const embedded = (html: string): ReportData =>
  JSON.parse(/<script type="application\/json" id="report-data">([^<]*)<\/script>/.exec(html)![1]!) as ReportData

test('hostile names stay data: no element of theirs, and the JSON gives them back', async () => {
  const data = await dataOf(hostile)
  const html = reportHtml(data, page)
  expect(html.match(/<script/g)).toHaveLength(2)
  expect(html.match(/<\/script>/g)).toHaveLength(2)
  expect(html).not.toContain('<img')
  expect(html).not.toContain('<!--')
  expect(/id="report-data">(.*)<\/script>/.exec(html)![1]).not.toContain('\u2028')
  expect(embedded(html).parameters[0]!.name).toBe(hostile)
  expect(escapeHtml('<a href="x">&\'')).toBe('&#60;a href=&#34;x&#34;&#62;&#38;&#39;')
})

test('numbers that JSON has no word for, and big seeds, survive as text', async () => {
  const data = await dataOf()
  const odd = { ...data, extra: [Number.NaN, Number.NEGATIVE_INFINITY, 2n ** 63n] } as unknown as ReportData
  const read = embedded(reportHtml(odd, page)) as unknown as { extra: unknown[] }
  expect(read.extra).toEqual(['NaN', '-Infinity', '9223372036854775808'])
  expect(read.extra.slice(0, 2).map(Number)).toEqual([Number.NaN, Number.NEGATIVE_INFINITY])
})

test('it fetches nothing, and says so to the browser', async () => {
  const html = reportHtml(await dataOf(), page)
  expect(html).toContain(`default-src 'none'`)
  expect(html).not.toMatch(/(src|href)="(?!data:)/)
  expect(html).toContain('<title>Passed: w</title>')
  for (const [script, style] of [
    ['a</script>', ''],
    ['<!--', ''],
    ['', '</style>'],
  ] as const) {
    expect(() => reportHtml({} as ReportData, { script, style })).toThrow(TypeError)
  }
})

test('a failed test fails the parameter, the model and the title', async () => {
  const outcome = { test: 'mean', ok: false, adjustedPValue: 1e-9, statistic: 7, message: 'mean 0.1 for 0' }
  const check = { falseAlarmRate: 1e-6, parameters: [{ name: 'w', tests: [outcome] }], model: [] }
  const data = await dataOf('w', check)
  expect(reportPasses(data)).toBe(false)
  expect(data.parameters[0]!.checks.at(-1)).toEqual({
    name: 'mean',
    ok: false,
    value: '7: mean 0.1 for 0',
    limit: 'adjusted p 1.0e-9 > 0.000001',
    severity: 1.5,
  })
  expect(reportHtml(data, page)).toContain('<title>Failed: w</title>')
  expect(reportPasses(await dataOf())).toBe(true)
  const model = { ...check, parameters: [], model: [outcome] }
  expect(reportPasses(await dataOf('w', model))).toBe(false)
})
