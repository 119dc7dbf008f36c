/**
 * The life of a connection as a pure table. Time and I/O are in `connection.ts`, which reports what happened and
 * carries out what the table answers.
 *
 * Vocabulary. The *primary* line is the socket (or the long poll, when the caller chose that alone). The *fallback*
 * is the long poll that serves while the socket is blocked; primary attempts go on meanwhile.
 *
 * | state | primary | fallback |
 * |---|---|---|
 * | idle | not begun | – |
 * | connecting | an attempt is under way, or the line before is closing for it | not answering (yet) |
 * | greeting | open, `hello` is not answered | as before: serves, or not (yet) |
 * | online | serves | silent |
 * | waiting | next attempt is scheduled | not answering (yet) |
 * | polling | next attempt is scheduled | serves |
 * | probing | as while connecting | serves |
 * | closing | saying goodbye | |
 * | closed | over, for good | |
 */
export const STATES = [
  "idle",
  "connecting",
  "greeting",
  "online",
  "waiting",
  "polling",
  "probing",
  "closing",
  "closed",
] as const;
export type ConnectionState = (typeof STATES)[number];

/**
 * What can happen.
 * - `start`, `reopen` (say hello anew), `close`: the caller's wish
 * - `opened`, `welcomed`, `lost`: the primary line; `down`: it is closed, to be opened again; `answered`, `cut`: the fallback
 * - `due`: time for the next attempt; `pollDue`: time to try the fallback again; `slow`: an attempt takes long; `refused`: the hub said never; `ended`: goodbye is said
 */
export const OCCURRENCES = [
  "start",
  "opened",
  "welcomed",
  "lost",
  "down",
  "answered",
  "cut",
  "due",
  "pollDue",
  "slow",
  "reopen",
  "refused",
  "close",
  "ended",
] as const;
export type Occurrence = (typeof OCCURRENCES)[number];

/**
 * What the driver does about it.
 * - `attempt`: let the primary try; `greet`: say hello on the primary; a fallback that serves asks for no events
 *   meanwhile, any other is given up
 * - `adopt`: the line that was just welcomed serves from now on; `drop`: no line serves
 * - `schedule`: arm the next attempt; `poll`: try the fallback; `pollLater`: after a while of its own; `hangUp`: give up a primary line that says nothing
 * - `redial`: close the primary, to open it again once it is down; `repoll`: the same with the fallback, if it serves or is being asked
 * - `goodbye`: close the lines politely; `finish`: everything that waits learns that it is over
 */
export type Action =
  | "attempt"
  | "greet"
  | "adopt"
  | "drop"
  | "schedule"
  | "poll"
  | "pollLater"
  | "hangUp"
  | "redial"
  | "repoll"
  | "goodbye"
  | "finish";

/** The next state, and what to do on the way. */
type Transition = readonly [next: ConnectionState, ...actions: Action[]];

export const TRANSITIONS: Record<ConnectionState, Record<Occurrence, Transition>> = {
  idle: {
    start: ["connecting", "attempt"],
    opened: ["idle"],
    welcomed: ["idle"],
    lost: ["idle"],
    down: ["idle"],
    answered: ["idle"],
    cut: ["idle"],
    due: ["idle"],
    pollDue: ["idle"],
    slow: ["idle"],
    reopen: ["idle"],
    refused: ["closed", "finish"],
    close: ["closed", "finish"],
    ended: ["idle"],
  },
  connecting: {
    start: ["connecting"],
    opened: ["greeting", "greet"],
    welcomed: ["connecting"],
    lost: ["waiting", "schedule", "poll"],
    down: ["connecting", "attempt"],
    answered: ["probing", "adopt"],
    cut: ["connecting", "pollLater"],
    due: ["connecting"],
    pollDue: ["connecting", "poll"],
    slow: ["connecting", "poll"],
    reopen: ["connecting", "repoll"],
    refused: ["closed", "goodbye", "finish"],
    close: ["closing", "goodbye"],
    ended: ["connecting"],
  },
  greeting: {
    start: ["greeting"],
    opened: ["greeting"],
    welcomed: ["online", "adopt"],
    lost: ["waiting", "drop", "schedule", "poll"],
    down: ["greeting"],
    answered: ["polling", "hangUp", "schedule", "adopt"],
    cut: ["greeting", "drop"],
    due: ["greeting"],
    pollDue: ["greeting"],
    slow: ["greeting", "poll"],
    reopen: ["connecting", "redial", "repoll"],
    refused: ["closed", "goodbye", "finish"],
    close: ["closing", "goodbye"],
    ended: ["greeting"],
  },
  online: {
    start: ["online"],
    opened: ["online"],
    welcomed: ["online", "adopt"],
    lost: ["waiting", "drop", "schedule"],
    down: ["online"],
    answered: ["online"],
    cut: ["online"],
    due: ["online"],
    pollDue: ["online"],
    slow: ["online"],
    reopen: ["connecting", "redial"],
    refused: ["closed", "goodbye", "finish"],
    close: ["closing", "goodbye"],
    ended: ["online"],
  },
  waiting: {
    start: ["waiting"],
    opened: ["waiting"],
    welcomed: ["waiting"],
    lost: ["waiting"],
    down: ["waiting"],
    answered: ["polling", "adopt"],
    cut: ["waiting", "pollLater"],
    due: ["connecting", "attempt"],
    pollDue: ["waiting", "poll"],
    slow: ["waiting"],
    reopen: ["waiting", "repoll"],
    refused: ["closed", "goodbye", "finish"],
    close: ["closing", "goodbye"],
    ended: ["waiting"],
  },
  polling: {
    start: ["polling"],
    opened: ["polling"],
    welcomed: ["polling"],
    lost: ["polling"],
    down: ["polling"],
    answered: ["polling", "adopt"],
    cut: ["waiting", "drop", "pollLater"],
    due: ["probing", "attempt"],
    pollDue: ["polling"],
    slow: ["polling"],
    reopen: ["waiting", "repoll"],
    refused: ["closed", "goodbye", "finish"],
    close: ["closing", "goodbye"],
    ended: ["polling"],
  },
  probing: {
    start: ["probing"],
    opened: ["greeting", "greet"],
    welcomed: ["probing"],
    lost: ["polling", "schedule"],
    down: ["probing", "attempt"],
    answered: ["probing", "adopt"],
    cut: ["connecting", "drop", "pollLater"],
    due: ["probing"],
    pollDue: ["probing"],
    slow: ["probing"],
    reopen: ["connecting", "repoll"],
    refused: ["closed", "goodbye", "finish"],
    close: ["closing", "goodbye"],
    ended: ["probing"],
  },
  closing: {
    start: ["closing"],
    opened: ["closing"],
    welcomed: ["closing"],
    lost: ["closing"],
    down: ["closing"],
    answered: ["closing"],
    cut: ["closing"],
    due: ["closing"],
    pollDue: ["closing"],
    slow: ["closing"],
    reopen: ["closing"],
    refused: ["closing"],
    close: ["closing"],
    ended: ["closed", "finish"],
  },
  closed: {
    start: ["closed"],
    opened: ["closed"],
    welcomed: ["closed"],
    lost: ["closed"],
    down: ["closed"],
    answered: ["closed"],
    cut: ["closed"],
    due: ["closed"],
    pollDue: ["closed"],
    slow: ["closed"],
    reopen: ["closed"],
    refused: ["closed"],
    close: ["closed"],
    ended: ["closed"],
  },
};
