/** Shader texts by their file's path below shaders/ (`./random/philox.wgsl`), keyed anew by the path that an import directive names: `random/philox`. */
export function modulesByPath(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path.slice(2, -5), text]))
}
