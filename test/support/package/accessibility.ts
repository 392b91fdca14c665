// What assistive technology and the keyboard find in a page: axe-core's rules for WCAG, and a walk with the Tab key.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { repository } from './package.js'

const axe = readFileSync(join(repository, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8')
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { html: string; failureSummary?: string }[]
  }[]
  readonly passes: readonly unknown[]
}

/** Violations of WCAG 2.0 to 2.2, levels A and AA, each with the elements that are concerned. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const run = `axe.run(document, { runOnly: ${JSON.stringify(tags)}, resultTypes: ['violations'] })`
  const { violations, passes } = (await page.evaluate(run)) as AxeResults
  if (passes.length < 10) throw new Error(`axe-core checked ${passes.length} rules only`)
  const texts = violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ html, failureSummary = '' }) => `${id}: ${html.slice(0, 160)}: ${failureSummary.replace(/\s+/g, ' ')}`,
    ),
  )
  // Hundreds of badges of one kind are one fault.
  return [...new Set(texts)]
}

/** The same in light, in dark, and in light at the width of a phone; leaves the page as it was found. */
export async function audit(page: Page): Promise<string[]> {
  const size = page.viewportSize()!
  const found: string[] = []
  for (const [name, colorScheme, width] of [
    ['light', 'light', size.width],
    ['dark', 'dark', size.width],
    ['narrow', 'light', 390],
  ] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: size.height })
    found.push(...(await violationsOf(page)).map((text) => `${name}: ${text}`))
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (sideways > 0) found.push(`${name}: the page scrolls sideways by ${sideways}`)
  }
  await page.emulateMedia({ colorScheme: null })
  await page.setViewportSize(size)
  return found
}

const interactive =
  'a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex]:not([tabindex="-1"])'

/**
 * Goes through the page with Tab alone from its beginning: what stays out of reach, what is reached out of the order of the
 * document, and where nobody sees the focus.
 */
export async function tabWalk(page: Page): Promise<{ reached: number; faults: string[] }> {
  const wanted = await page.evaluate((selector) => {
    ;(document.activeElement as HTMLElement | null)?.blur()
    scrollTo(0, 0)
    const seen = [...document.querySelectorAll<HTMLElement>(selector)].filter((one) => one.checkVisibility())
    for (const [index, one] of seen.entries()) one.dataset.walk = String(index)
    return seen.map((one) => one.outerHTML.slice(0, 120))
  }, interactive)
  // The walk begins before the first element, wherever the last click was.
  await page.evaluate(() => {
    document.body.tabIndex = -1
    document.body.focus()
  })
  const order: number[] = []
  const faults: string[] = []
  for (let step = 0; step <= wanted.length; step++) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(() => {
      const one = document.activeElement as HTMLElement | null
      if (one === null || one === document.body) return undefined
      const { outlineStyle, outlineWidth } = getComputedStyle(one)
      const visible = one.matches(':focus-visible') && outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0
      return { index: Number(one.dataset.walk ?? -1), visible, html: one.outerHTML.slice(0, 120) }
    })
    if (at === undefined || order.includes(at.index)) break
    order.push(at.index)
    if (!at.visible) faults.push(`no visible focus: ${at.html}`)
    if (at.index < 0) faults.push(`reached, but nothing one would expect: ${at.html}`)
  }
  await page.evaluate(() => document.body.removeAttribute('tabindex'))
  for (const [index, html] of wanted.entries()) if (!order.includes(index)) faults.push(`not reached: ${html}`)
  if (order.some((index, place) => place > 0 && index < order[place - 1]!))
    faults.push(`out of order: ${order.join(' ')}`)
  return { reached: order.length, faults }
}
