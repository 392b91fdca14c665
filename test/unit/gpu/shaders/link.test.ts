// How WGSL modules are joined: the order of imports, slots, refusals, and the way back from a line to its file.
import { describe, expect, test } from 'vitest'
import { linkShader } from '../../../../src/gpu/shaders/link.js'
import { shaderModules } from '../../../../src/gpu/shaders/shader-modules.js'
import { expectRefusal } from '../../../support/refusal.js'

const modules = {
  entry: '//#import "a"\n//#import "b"\nfn main() {}',
  a: '//#import "base"\nfn a() {}',
  b: '//#import "base"\nfn b() {}',
  base: 'fn base() {}',
}

test('imports come first, each once', () => {
  expect(linkShader('entry', modules).code).toBe('fn base() {}\nfn a() {}\nfn b() {}\nfn main() {}')
})

test('a module without imports is its own text', () => {
  expect(linkShader('base', modules).code).toBe('fn base() {}')
})

test('a slot is filled by the module that the caller names', () => {
  const text = { ...modules, entry: '//#import "base"\n//#import "$x"\nfn main() {}' }
  expect(linkShader('entry', text, { x: 'a' }).code).toBe('fn base() {}\nfn a() {}\nfn main() {}')
  expect(linkShader('entry', text, { x: 'b' }).code).toBe('fn base() {}\nfn b() {}\nfn main() {}')
})

test('a filled slot may have slots, and may name a module that is there already', () => {
  const text = {
    entry: '//#import "$outer"\nfn main() {}',
    outer: '//#import "$inner"\nfn outer() {}',
    leaf: 'fn leaf() {}',
  }
  expect(linkShader('entry', text, { outer: 'outer', inner: 'leaf' }).code).toBe(
    'fn leaf() {}\nfn outer() {}\nfn main() {}',
  )
})

test.each([
  ['spaces and a carriage return after it', '//#import "base"  \r\nfn main() {}', 'fn base() {}\nfn main() {}'],
  ['an indented one is a comment', '  //#import "base"\nfn main() {}', '  //#import "base"\nfn main() {}'],
  ['text after it makes it a comment', '//#import "base" here\nfn main() {}', '//#import "base" here\nfn main() {}'],
])('the directive: %s', (_, entry, code) => {
  expect(linkShader('entry', { entry, base: 'fn base() {}' }).code).toBe(code)
})

describe('refusals name the entry, the importer and the import', () => {
  test.each<[string, Record<string, string>, string[]]>([
    ['a missing entry', {}, ['"entry"', 'no module "entry"']],
    ['a missing module', { entry: '//#import "a"', a: '//#import "gone"' }, ['"entry"', '"gone"', 'imported by "a"']],
    ['an unfilled slot', { entry: '//#import "a"', a: '//#import "$hole"' }, ['"entry"', '"$hole"', '"a"']],
    ['a slot filled with nothing there', { entry: '//#import "$given"' }, ['"entry"', '"nowhere"']],
    ['a cycle', { entry: '//#import "a"', a: '//#import "b"', b: '//#import "a"' }, ['cycle', 'a -> b -> a']],
    ['an import of itself', { entry: '//#import "entry"' }, ['cycle', 'entry -> entry']],
    ['a name that only Object.prototype has', { entry: '//#import "toString"' }, ['"toString"']],
  ])('%s', async (_, text, fragments) => {
    await expectRefusal(() => linkShader('entry', text, { given: 'nowhere' }), 'SHADER', ...fragments)
  })
})

describe('the line map', () => {
  test('leads every line back to its file', () => {
    const text = { entry: '// one\n//#import "a"\n// three\nfn main() {}', a: 'fn a() {\n  x();\n}' }
    const { code, locate } = linkShader('entry', text)
    const lines = code.split('\n')
    const origin: Record<string, string[]> = { entry: text.entry.split('\n'), a: text.a.split('\n') }
    lines.forEach((content, index) => {
      const { module, line } = locate(index + 1)
      expect(origin[module]?.[line - 1]).toBe(content)
    })
    expect(locate(1)).toEqual({ module: 'entry', line: 1 })
    expect(locate(3)).toEqual({ module: 'a', line: 2 })
    expect(locate(6)).toEqual({ module: 'entry', line: 4 })
  })

  test('holds for the real shaders', () => {
    const { code, locate } = linkShader('fill/fill', shaderModules, {
      job: 'core/jobs',
      sampler: 'distributions/normal',
      store: 'store/half_pair',
      round: 'store/float16',
    })
    code.split('\n').forEach((content, index) => {
      const { module, line } = locate(index + 1)
      expect(shaderModules[module]?.split('\n')[line - 1]).toBe(content)
    })
    expect(code.match(/^fn rounded\(/gm)).toHaveLength(1)
    expect(code.match(/^struct Job /gm)).toHaveLength(1)
    expect(code).not.toMatch(/^\/\/#import/m)
  })

  test('a line past the end belongs to the entry', () => {
    expect(linkShader('entry', modules).locate(999).module).toBe('entry')
  })
})
