/**
 * What a terminal or a reader would act on instead of showing it: control characters (C0, DEL, C1), marks that turn the
 * direction of text, line and paragraph separators, the byte order mark, and surrogates without their partner.
 */
const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Text from a file or a user as one visible line: characters that do not show themselves become `\u001b` and the like. */
export function visible(text: string): string {
  return text.replace(invisible, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
