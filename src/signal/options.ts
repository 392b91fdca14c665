import { refuse, refuseUnknownKeys, show } from '../core/errors.js'
import { seedKey } from '../random/keys.js'
import type { SignalOptions } from './types.js'

export const signalOptionKeys: readonly string[] = ['batch', 'seed', 'inputShape', 'healthyFactor', 'signal']

/** The options, with defaults for those that were not given. */
export type ResolvedSignalOptions = Required<Pick<SignalOptions, 'batch' | 'seed' | 'healthyFactor'>> &
  Pick<SignalOptions, 'inputShape' | 'signal'>

/** @throws WeightInitError `INVALID_ARGUMENT` naming the option and the value */
export function resolveSignalOptions(options: SignalOptions): ResolvedSignalOptions {
  refuseUnknownKeys(options, signalOptionKeys, 'propagateSignal option')
  const { batch = 64, seed = 0, inputShape, healthyFactor = 1000, signal } = options
  const fail = refuse('INVALID_ARGUMENT', 'propagateSignal: ')
  if (!isCount(batch)) fail(`batch must be a positive integer, but found ${show(batch)}.`)
  seedKey(seed)
  if (inputShape !== undefined && !(Array.isArray(inputShape) && inputShape.length > 0 && inputShape.every(isCount))) {
    fail(`inputShape must be positive integers, such as [3, 32, 32], but found ${show(inputShape)}.`)
  }
  if (typeof healthyFactor !== 'number' || !(healthyFactor > 1)) {
    fail(`healthyFactor must be a number > 1, but found ${show(healthyFactor)}.`)
  }
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    fail(`signal must be an AbortSignal, but found ${show(signal)}.`)
  }
  return {
    batch,
    seed,
    healthyFactor,
    ...(inputShape === undefined ? {} : { inputShape }),
    ...(signal === undefined ? {} : { signal }),
  }
}

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
