import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../../shaders/', import.meta.url)

/** Every .wgsl file under shaders/: text by path without the extension, read from disk. */
export function shaderFiles(): Record<string, string> {
  const files: Record<string, string> = {}
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.wgsl')) continue
    files[name.replaceAll('\\', '/').replace(/\.wgsl$/, '')] = readFileSync(new URL(name, root), 'utf8')
  }
  return files
}

export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '')
}

/** Size and alignment of the types that may stand in a uniform struct: WGSL, "Alignment and Size". */
const types: Readonly<Record<string, { size: number; align: number }>> = {
  u32: { size: 4, align: 4 },
  i32: { size: 4, align: 4 },
  f32: { size: 4, align: 4 },
  'vec2<u32>': { size: 8, align: 8 },
  'vec2<f32>': { size: 8, align: 8 },
  'vec3<u32>': { size: 12, align: 16 },
  'vec3<f32>': { size: 12, align: 16 },
  'vec4<u32>': { size: 16, align: 16 },
  'vec4<f32>': { size: 16, align: 16 },
}

/** Byte offset of every field of a struct in WGSL's layout rules, and the struct's size as `byteLength`. */
/** A struct of other structs takes their size and alignment. */
export function structLayout(text: string, name: string): Record<string, number> {
  const body = new RegExp(`struct ${name} \\{([^}]*)\\}`).exec(withoutComments(text))?.[1]
  if (body === undefined) throw new Error(`there is no struct ${name}`)
  const layout: Record<string, number> = {}
  let at = 0
  let largest = 4
  for (const field of body.split(/,\s*(?:\n|$)/)) {
    if (field.trim() === '') continue
    const [, key = '', type = ''] = /^\s*(\w+)\s*:\s*([\w<>]+)\s*$/.exec(field) ?? []
    const facts = types[type] ?? nestedStruct(text, type)
    if (facts === undefined) throw new Error(`field ${JSON.stringify(field)} of ${name} has an unknown type`)
    at = Math.ceil(at / facts.align) * facts.align
    layout[key] = at
    at += facts.size
    largest = Math.max(largest, facts.align)
  }
  return { ...layout, byteLength: Math.ceil(at / largest) * largest }
}

function nestedStruct(text: string, name: string): { size: number; align: number } | undefined {
  if (!new RegExp(`struct ${name} \\{`).test(text)) return undefined
  const { byteLength } = structLayout(text, name)
  return byteLength === undefined ? undefined : { size: byteLength, align: 16 }
}
