// Code blocks of a Markdown file: test/package/readme.test.ts has the conventions.

/** A fenced block. */
export interface Block {
  readonly language: string
  readonly code: string
  /** Of the opening fence, from 1. */
  readonly line: number
  /** Why it is not run. */
  readonly noRun?: string
  /** The `text` block right after it. */
  readonly output?: string
}

export function blocksOf(markdown: string, file = 'README.md'): Block[] {
  const lines = markdown.split('\n')
  const blocks: (Block & { end: number })[] = []
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\S*)\s*$/.exec(lines[i]!)
    if (fence === null) continue
    const end = lines.indexOf('```', i + 1)
    if (end < 0) throw new Error(`${file}:${i + 1}: this code block does not end`)
    const code = lines.slice(i + 1, end).join('\n')
    const previous = blocks.at(-1)
    const between = previous === undefined ? undefined : lines.slice(previous.end + 1, i)
    if (fence[1] === 'text' && previous !== undefined && between?.every((line) => line.trim() === '')) {
      blocks[blocks.length - 1] = { ...previous, output: code, end }
    } else {
      const comment = lines.slice(0, i).findLast((line) => line.trim() !== '')
      const noRun = /^<!-- no-run: (.+) -->$/.exec(comment ?? '')?.[1]
      blocks.push({ language: fence[1]!, code, line: i + 1, end, ...(noRun === undefined ? {} : { noRun }) })
    }
    i = end
  }
  return blocks
}

/** Expected output as a pattern: `...` is anything in its line, a line `...` any number of lines. */
export function patternOf(expected: string): RegExp {
  const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const lines = expected.split('\n').map((line) => {
    if (line.trim() === '...') return '(?:[^\\n]*\\n)*?'
    return `${line.trimEnd().split('...').map(literal).join('[^\\n]*')}[ \\t]*\\n`
  })
  return new RegExp(`^${lines.join('')}$`)
}

const withoutCode = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```/gm, '')

/** Targets of the links and pictures that are no addresses of the web, as they are written. */
export function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown)
  const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
  const references = [...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)]
  return [...inline, ...references].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target))
}

/** What a link may name after `#`: the headings, spelled as GitHub spells them. */
export function anchorsOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
