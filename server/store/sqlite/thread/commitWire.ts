/**
 * Batches on their way between the threads.
 *
 * Cloning thousands of small objects would cost more than the database does. Commands cross as one text. A
 * result crosses as texts, of messages and of events, and one array of numbers that says what lies where in
 * them; the receiver cuts its strings out of the texts without copying. Whoever keeps such a string keeps its
 * whole text: that is why events, which are kept for readers, do not share one with messages, which are not, and
 * why no text grows long; a long one would also cost pages of memory of its own, taken and given back each time.
 */
import type { WireError } from "../../../../shared/errors.ts";
import { EVENT_KINDS } from "../../../../shared/vocabulary.ts";
import type { Done, Outcome } from "../../outcomes.ts";
import type { CommitResult, LogEntry } from "../../store.ts";
import type { StoreCommand } from "../../storeCommands.ts";

export interface FlatResult {
  wakeAt: number | null;
  head: number;
  messages: string[];
  events: string[];
  /** OUTCOME numbers for each outcome, then ENTRY numbers for each entry. */
  numbers: Int32Array;
  outcomes: number;
  /** Names of senders and recipients, each once. */
  names: string[];
  errors: WireError[];
  /** What macros sent: number of the outcome, and its messages. */
  macros: [outcome: number, messages: string][];
}

/** An outcome: length of its message (NONE: null, FAILED: see errors), deduplicated, waiting, length of oldest. */
const OUTCOME = 4;
/** An entry: kind, claimable, length of its JSON, where its bodies begin, where its id begins and its length, from, to. */
const ENTRY = 8;

/** How long a text grows, unless one string alone is longer. */
const TEXT_CHARS = 64 * 1024;

const NONE = -1;
const FAILED = -2;
const NOT_A_SEND = -1;

const KIND_NUMBERS = new Map<string, number>(EVENT_KINDS.map((kind, i) => [kind, i]));

export const encodeCommands = (commands: readonly StoreCommand[]): string => JSON.stringify(commands);

export const decodeCommands = (text: string): StoreCommand[] => JSON.parse(text) as StoreCommand[];

export function encodeResult({ outcomes, entries, head, wakeAt }: CommitResult): FlatResult {
  const numbers = new Int32Array(outcomes.length * OUTCOME + entries.length * ENTRY);
  const names = new Map<string, number>();
  const errors: WireError[] = [];
  const macros: FlatResult["macros"] = [];
  const messages = new TextWriter();
  const events = new TextWriter();
  let at = 0;
  for (const outcome of outcomes) {
    if (outcome.ok) {
      encodeOutcome(outcome, numbers, at, messages);
      if ("messages" in outcome) macros.push([at / OUTCOME, outcome.messages]);
    } else {
      errors.push(outcome.error);
      numbers[at] = FAILED;
    }
    at += OUTCOME;
  }
  for (const entry of entries) {
    encodeEntry(entry, numbers, at, names);
    events.add(entry.json);
    at += ENTRY;
  }
  const texts = { messages: messages.texts, events: events.texts, names: [...names.keys()], errors, macros };
  return { wakeAt, head, numbers, outcomes: outcomes.length, ...texts };
}

function encodeOutcome(done: Done, numbers: Int32Array, at: number, messages: TextWriter): void {
  const { json } = done;
  numbers[at] = json?.length ?? NONE;
  numbers[at + 2] = NOT_A_SEND;
  if (json !== null) messages.add(json);
  if (!("waiting" in done)) return;
  const { deduplicated, waiting, oldest } = done;
  numbers[at + 1] = deduplicated ? 1 : 0;
  numbers[at + 2] = waiting;
  numbers[at + 3] = oldest?.length ?? NONE;
  if (oldest !== null) messages.add(oldest);
}

function encodeEntry(entry: LogEntry, numbers: Int32Array, at: number, names: Map<string, number>): void {
  const { kind, claimable, json, bodiesAt, id, from, to } = entry;
  numbers[at] = KIND_NUMBERS.get(kind) as number;
  numbers[at + 1] = claimable ? 1 : 0;
  numbers[at + 2] = json.length;
  numbers[at + 3] = bodiesAt;
  const idAt = json.indexOf(id);
  numbers[at + 4] = idAt >= 0 ? idAt : -1 - numberOf(id, names); // an adopted id may need escapes in JSON
  numbers[at + 5] = id.length;
  numbers[at + 6] = numberOf(from, names);
  numbers[at + 7] = numberOf(to, names);
}

function numberOf(name: string, names: Map<string, number>): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}

export function decodeResult(flat: FlatResult): CommitResult {
  const { numbers } = flat;
  const messages = new TextReader(flat.messages);
  const result: CommitResult = { wakeAt: flat.wakeAt, head: flat.head, outcomes: [], entries: [] };
  let failures = 0;
  let at = 0;
  for (; at < flat.outcomes * OUTCOME; at += OUTCOME) {
    if (numbers[at] === FAILED) {
      result.outcomes.push({ ok: false, error: flat.errors[failures++] as WireError });
      continue;
    }
    result.outcomes.push(decodeOutcome(numbers, at, messages));
  }
  for (const [i, all] of flat.macros) Object.assign(result.outcomes[i] as Outcome, { messages: all });
  const events = new TextReader(flat.events);
  for (let seq = flat.head - (numbers.length - at) / ENTRY + 1; at < numbers.length; at += ENTRY, seq++) {
    result.entries.push(decodeEntry(numbers, at, seq, events.take(numbers[at + 2] as number), flat.names));
  }
  return result;
}

function decodeOutcome(numbers: Int32Array, at: number, messages: TextReader): Done {
  const json = numbers[at] === NONE ? null : messages.take(numbers[at] as number);
  const waiting = numbers[at + 2] as number;
  if (waiting === NOT_A_SEND || json === null) return { ok: true, json };
  const oldest = numbers[at + 3] === NONE ? null : messages.take(numbers[at + 3] as number);
  return { ok: true, json, deduplicated: numbers[at + 1] === 1, waiting, oldest };
}

function decodeEntry(numbers: Int32Array, at: number, seq: number, json: string, names: string[]): LogEntry {
  const idAt = numbers[at + 4] as number;
  return {
    seq,
    kind: EVENT_KINDS[numbers[at] as number] as LogEntry["kind"],
    id: idAt >= 0 ? json.slice(idAt, idAt + (numbers[at + 5] as number)) : (names[-1 - idAt] as string),
    from: names[numbers[at + 6] as number] as string,
    to: names[numbers[at + 7] as number] as string,
    claimable: numbers[at + 1] === 1,
    json,
    bodiesAt: numbers[at + 3] as number,
  };
}

/** Strings one after the other, in texts of bounded length. */
class TextWriter {
  readonly texts: string[] = [];
  #length = Number.POSITIVE_INFINITY;

  add(text: string): void {
    this.#length += text.length;
    if (this.#length <= TEXT_CHARS) {
      this.texts[this.texts.length - 1] += text;
    } else {
      this.texts.push(text);
      this.#length = text.length;
    }
  }
}

/** Takes them out again, in their order. */
class TextReader {
  readonly #texts: string[];
  #number = 0;
  #place = 0;

  constructor(texts: string[]) {
    this.#texts = texts;
  }

  take(length: number): string {
    if (length > 0 && this.#place === this.#texts[this.#number]?.length) {
      this.#number++;
      this.#place = 0;
    }
    const begin = this.#place;
    this.#place += length;
    return (this.#texts[this.#number] as string).slice(begin, this.#place);
  }
}
