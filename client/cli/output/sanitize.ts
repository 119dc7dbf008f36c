import { isObject } from "../../../shared/index.ts";

/**
 * Text from agents is data. On a terminal it must not move the cursor, recolour, retitle, or change the order in which
 * it is read: control and format characters are shown as escapes. Newlines and tabs stay, and the joiners that
 * scripts and emoji need.
 */
const UNSAFE = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** @example harmless("\x1b[31mred") === "\\x1b[31mred" */
export const harmless = (text: string) => text.replaceAll("\r\n", "\n").replace(UNSAFE, escaped);

function escaped(character: string): string {
  const code = character.codePointAt(0) as number;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u${code < 0x10000 ? hex.padStart(4, "0") : `{${hex}}`}`;
}

/** A value with every text in it made harmless, field names included. */
export function harmlessly<T>(value: T): T {
  return walk(value) as T;
}

function walk(value: unknown): unknown {
  if (typeof value === "string") return harmless(value);
  if (Array.isArray(value)) return value.map(walk);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [harmless(name), walk(field)]));
}
