import { parseDuration } from "../../../shared/index.ts";
import type { Event, Message } from "../../sdk/index.ts";
import { UsageError } from "../process/errors.ts";

/**
 * Whether a message was sent, or an event happened, within a span.
 *
 * @param now the hub's time, from which durations count back, ms.
 * @throws UsageError when a bound is neither a time nor a duration.
 */
export function spanOf({ since, until }: { since: string | undefined; until: string | undefined }, now: number) {
  const from = momentOf("--since", since, now) ?? Number.NEGATIVE_INFINITY;
  const end = momentOf("--until", until, now) ?? Number.POSITIVE_INFINITY;
  return (item: Message | Event): boolean => {
    const at = Date.parse("kind" in item ? item.at : item.created_at);
    return at >= from && at < end;
  };
}

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

function momentOf(option: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = /[a-z]$/.test(text) ? parseDuration(text) : undefined; // a bare number may as well be a year
  const at = ago !== undefined ? now - ago : TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new UsageError(`${option} must be a day, a time with its zone, or how long ago (7d)`);
  return at;
}
