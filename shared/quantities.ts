/** Durations and sizes as people write them. */

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|min|m|h|d)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, min: 6e4, m: 6e4, h: 3.6e6, d: 8.64e7 };

/**
 * Milliseconds of a duration; a bare number counts seconds. Undefined for anything else.
 *
 * @example parseDuration("1.5h") === 5_400_000
 */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = "s"] = DURATION.exec(text) ?? [];
  return amount === undefined ? undefined : Math.round(Number(amount) * (UNIT_MS[unit] as number));
}

const SIZE = /^(\d+(?:\.\d+)?)(kb|mb|gb|tb)$/i;
const UNIT_BYTES: Readonly<Record<string, number>> = { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 };

/**
 * Bytes of a size with its unit. Undefined for anything else.
 *
 * @example parseSize("1.5gb") === 1_610_612_736
 */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ""] = SIZE.exec(text) ?? [];
  return amount === undefined ? undefined : Math.round(Number(amount) * (UNIT_BYTES[unit.toLowerCase()] as number));
}
