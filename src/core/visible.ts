/**
 * Text from a file or a user as one visible line. What a terminal or a reader would act on instead of showing it becomes
 * `\u001b` and the like: control characters, format characters (marks that turn the direction of text, the byte order mark),
 * line and paragraph separators, and surrogates without their partner.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}
