// The types of the string API. They follow from the names and settings that each initializer's class declares.
import type * as families from './families/index.js'
import type { NoSettings } from './schema.js'

type Exports = typeof families

/** The config of a class for each of its names, without the settings that the name fixes. */
type ConfigsOfClass<Class> = Class extends {
  readonly names: infer Names
  new (config: infer Config): unknown
}
  ? { readonly [Name in keyof Names]: ConfigOfName<Exclude<Config, undefined>, Names[Name]> }
  : never

type ConfigOfName<Config, Fixed> = keyof Fixed extends never
  ? Config
  : keyof Config extends keyof Fixed
    ? NoSettings
    : Omit<Config, keyof Fixed>

type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (
  member: infer Together,
) => void
  ? Together
  : never

/** The configs by PyTorch's, JAX's or Keras's name in snake_case. */
type SnakeCaseConfigs = Intersection<{ [Key in keyof Exports]: ConfigsOfClass<Exports[Key]> }[keyof Exports]>

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name
/** Maps names in camelCase to names in snake_case. */
type CamelCaseNames = { readonly [Name in keyof SnakeCaseConfigs as CamelCase<Name>]: Name }

/**
 * The strings that name an initializer, in snake_case ('xavier_uniform') or camelCase ('xavierUniform'). At run time Keras's
 * CamelCase ('XavierUniform') and PyTorch's trailing underscore ('xavier_uniform_') are accepted too. A name that is only
 * known at run time is passed as `name as InitializerName`, or through `createInitializer(name, config)`.
 */
export type InitializerName = keyof SnakeCaseConfigs | keyof CamelCaseNames

/** The config that each name takes. */
export type InitializerConfigs = {
  readonly [Name in InitializerName]: Name extends keyof SnakeCaseConfigs
    ? SnakeCaseConfigs[Name]
    : Name extends keyof CamelCaseNames
      ? SnakeCaseConfigs[CamelCaseNames[Name]]
      : never
}

/** The config that goes with a name: `ConfigOf<'kaiming'>` is KaimingConfig. */
export type ConfigOf<Name extends InitializerName> = InitializerConfigs[Name]
