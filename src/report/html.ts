import { type ReportData, reportPasses } from './types.js'

/** What must not end a script element, or begin a comment in one, as JSON escapes. U+2028 and U+2029 are for old readers. */
const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** JSON without infinities and NaN: those become strings, which `Number` reads again. */
function jsonOf(data: ReportData): string {
  const text = JSON.stringify(data, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
  })
  return text.replace(/[<>&\u2028\u2029]/g, (character) => escapes[character]!)
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)

/**
 * One HTML page that needs nothing else: data, style and script are inside, and its policy lets nothing be fetched. Whatever
 * comes from names is data to the script, which writes it as text.
 *
 * @param script of report/page.ts, built; @param style of report/page.css
 */
export function reportHtml(
  data: ReportData,
  { script, style }: { readonly script: string; readonly style: string },
): string {
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style))
    throw new TypeError('the page’s own code would end its element')
  const verdict = reportPasses(data) ? 'Passed' : 'Failed'
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="webgpu-init">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(`${verdict}: ${data.title}`)}</title>
<style>
${style}
</style>
</head>
<body>
<main id="report"><noscript><p>This report draws itself with JavaScript, from data inside this file. Please allow it.</p></noscript></main>
<script type="application/json" id="report-data">${jsonOf(data)}</script>
<script>
${script}
</script>
</body>
</html>
`
}
