declare module '*.wgsl?raw' {
  const text: string
  export default text
}

interface ImportMeta {
  /** Resolved by the bundler (Vite, Vitest) into the files themselves. */
  glob<T>(
    pattern: string | readonly string[],
    options: { readonly base: string; readonly query: '?raw'; readonly import: 'default'; readonly eager: true },
  ): Record<string, T>
}
