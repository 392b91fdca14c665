// What every part of a manifest's reader needs: the manifest may come from anywhere, so every field is checked.

import { refuse, refuseUnknownKeys, show } from '../../core/errors.js'

export const fail: (message: string) => never = /* @__PURE__ */ refuse('INVALID_FILE', 'Manifest: ')

/** @throws WeightInitError `INVALID_FILE` unless `value` is an object with no other keys than these */
export function record(value: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail(`${what} must be an object, but found ${show(value)}.`)
  }
  refuseUnknownKeys(value, keys, `manifest: ${what}:`, 'INVALID_FILE')
  return value as Record<string, unknown>
}
